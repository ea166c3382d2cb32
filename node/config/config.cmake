# quorate_node_config: the home folder, key files, config.toml and the genesis file. toml++ and JSON
# stay behind it; testnet links it too.
find_package(tomlplusplus REQUIRED)
add_library(quorate_node_config STATIC
  config/config_keys.cpp
  config/endpoint.cpp
  config/files.cpp
  config/genesis_file.cpp
  config/home.cpp
  config/key_files.cpp
  config/log_levels.cpp
  config/node_config.cpp
  config/replaced_ledger.cpp
  config/report.cpp)
quorate_target(quorate_node_config json)
quorate_build_quickly(quorate_node_config)
target_link_libraries(quorate_node_config PUBLIC quorate_rpc_json PRIVATE tomlplusplus::tomlplusplus)
