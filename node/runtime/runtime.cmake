# quorate_node_net: TLS between nodes. quorate_node_runtime: threads, vote log, composition; links
# without RocksDB.
add_library(quorate_node_net STATIC
  net/frame.cpp
  net/handshake.cpp
  net/peer_address.cpp
  net/peer_manager.cpp
  net/peer_session.cpp
  net/send_queue.cpp
  net/tls.cpp
)
quorate_target(quorate_node_net)
target_link_libraries(quorate_node_net
  PUBLIC quorate_node_core
  PRIVATE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

add_library(quorate_node_runtime STATIC
  runtime/consensus_thread.cpp
  runtime/execute_thread.cpp
  runtime/fatal.cpp
  runtime/log_file.cpp
  runtime/log_writer.cpp
  runtime/miner.cpp
  runtime/runtime.cpp
  runtime/submissions.cpp
  runtime/transaction_cache.cpp
  runtime/validator_state.cpp
  runtime/verify_pool.cpp
  runtime/vote_log_store.cpp
)
quorate_target(quorate_node_runtime)
target_link_libraries(quorate_node_runtime PUBLIC quorate_node_net PRIVATE Threads::Threads)
