# quorate-node: the commands, the log, the metrics, the API's backend, and the program that joins
# all parts.
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)

add_library(quorate_node_log STATIC logging.cpp)
quorate_target(quorate_node_log)
quorate_build_quickly(quorate_node_log)
target_link_libraries(quorate_node_log PUBLIC quorate_node_config PRIVATE spdlog::spdlog)

add_library(quorate_node_api STATIC
  branch_reader.cpp
  chain_reader.cpp
  dry_run.cpp
  evidence_store.cpp
  finality_watch.cpp
  metrics.cpp
  metrics_families.cpp
  notice_log.cpp
  replica_view.cpp
  rpc_backend.cpp
  status_cache.cpp)
quorate_target(quorate_node_api)
quorate_build_quickly(quorate_node_api)
target_link_libraries(quorate_node_api PUBLIC quorate_node_runtime quorate_rpc
  PRIVATE PkgConfig::PROMETHEUS)

add_library(quorate_node_commands STATIC
  commands/cli.cpp
  commands/config.cpp
  commands/context.cpp
  commands/genesis.cpp
  commands/init.cpp
  commands/keys.cpp
  commands/output.cpp)
quorate_target(quorate_node_commands)
quorate_build_quickly(quorate_node_commands)
target_link_libraries(quorate_node_commands PUBLIC quorate_node_config quorate_command_line quorate_consensus
  PRIVATE CLI11::CLI11)

# The program needs a database.
if(QUORATE_ROCKSDB)
  add_executable(quorate-node main.cpp commands/prepare.cpp commands/verify.cpp)
  quorate_target(quorate-node)
  quorate_build_quickly(quorate-node)
  target_link_libraries(quorate-node PRIVATE
    quorate_node_api quorate_node_commands quorate_node_config quorate_node_log quorate_node_runtime
    quorate_rpc_server quorate_ledger_rocksdb quorate_consensus)
endif()
