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
add_library(quorate_node_runtime INTERFACE)
target_link_libraries(quorate_node_runtime INTERFACE quorate_node_net)
