# The sans-IO node: what the runtime drives with threads and the simulator in virtual time.
add_library(quorate_node_core STATIC
  block_builder.cpp
  catch_up.cpp
  mempool.cpp
  mempool_lanes.cpp
  mempool_rewind.cpp
  peer_messages.cpp
  primary_pace.cpp
  primary_watch.cpp
  relay.cpp
  replica.cpp
  replica_outputs.cpp
  replica_rewind.cpp
  replica_status.cpp
  runtime/vote_log_format.cpp
  tentative_blocks.cpp
)
quorate_target(quorate_node_core)
target_link_libraries(quorate_node_core PUBLIC quorate_ledger quorate_consensus)
