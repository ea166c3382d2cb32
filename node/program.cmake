# quorate-node: the commands, the log, the metrics, the API's backend, and the program that joins
# all parts.
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)

find_package(Git QUIET)
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE QUORATE_GIT_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT QUORATE_GIT_COMMIT)
  set(QUORATE_GIT_COMMIT unknown)
endif()
find_package(Boost 1.81 QUIET)
pkg_check_modules(ROCKSDB_VERSION_OF QUIET rocksdb)
string(JOIN "," QUORATE_LIBRARIES
  "boost ${Boost_VERSION}" "openssl ${OPENSSL_VERSION}" "libsodium ${SODIUM_VERSION}"
  "rocksdb ${ROCKSDB_VERSION_OF_VERSION}" "spdlog ${spdlog_VERSION}"
  "tomlplusplus ${tomlplusplus_VERSION}" "cli11 ${CLI11_VERSION}"
  "prometheus-cpp ${PROMETHEUS_VERSION}")

add_library(quorate_node_log STATIC logging.cpp)
quorate_target(quorate_node_log)
target_link_libraries(quorate_node_log PUBLIC quorate_node_config PRIVATE spdlog::spdlog)

add_library(quorate_node_api STATIC
  chain_reader.cpp
  finality_watch.cpp
  metrics.cpp
  metrics_families.cpp
  rpc_backend.cpp
  status_cache.cpp)
quorate_target(quorate_node_api)
target_link_libraries(quorate_node_api PUBLIC quorate_node_runtime quorate_rpc
  PRIVATE PkgConfig::PROMETHEUS)

add_library(quorate_node_commands STATIC
  commands/cli.cpp
  commands/config.cpp
  commands/context.cpp
  commands/exit_code.cpp
  commands/genesis.cpp
  commands/init.cpp
  commands/keys.cpp
  commands/output.cpp
  commands/version.cpp)
quorate_target(quorate_node_commands)
target_link_libraries(quorate_node_commands PUBLIC quorate_node_config PRIVATE CLI11::CLI11)
set_source_files_properties(commands/version.cpp PROPERTIES COMPILE_DEFINITIONS
  "QUORATE_VERSION=\"${PROJECT_VERSION}\";QUORATE_GIT_COMMIT=\"${QUORATE_GIT_COMMIT}\";QUORATE_LIBRARIES=\"${QUORATE_LIBRARIES}\"")

# The program needs a database.
if(QUORATE_ROCKSDB)
  add_executable(quorate-node main.cpp commands/prepare.cpp commands/verify.cpp notice_log.cpp)
  quorate_target(quorate-node)
  target_link_libraries(quorate-node PRIVATE
    quorate_node_api quorate_node_commands quorate_node_config quorate_node_log quorate_node_runtime
    quorate_rpc_server quorate_ledger_rocksdb quorate_consensus)
endif()
