// The files of this folder on a simulated node.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("function_names.lua") { ExpectSimulatedClaims({"function_names", 10}); }
TEST_CASE("core_module.lua") { ExpectSimulatedClaims({"core_module", 12}); }
TEST_CASE("task_order.lua") { ExpectSimulatedClaims({"task_order", 20}); }
TEST_CASE("calls.lua") { ExpectSimulatedClaims({"calls", 20}); }
TEST_CASE("requests.lua") { ExpectSimulatedClaims({"requests", 10}); }
TEST_CASE("service_exit.lua") { ExpectSimulatedClaims({"service_exit", 12}); }
TEST_CASE("service_facts.lua") { ExpectSimulatedClaims({"service_facts", 6}); }
TEST_CASE("protocols.lua") { ExpectSimulatedClaims({"protocols", 9}); }
TEST_CASE("debug_protocol.lua") { ExpectSimulatedClaims({"debug_protocol", 14}); }
TEST_CASE("user_coroutines.lua") { ExpectSimulatedClaims({"user_coroutines", 15}); }
TEST_CASE("logged_lines.lua") {
  ExpectSimulatedClaims(
      {"logged_lines", 17, {{"logservice", "snlua"}, {"logger", "logger_with_memory"}}});
}
TEST_CASE("node_services.lua") { ExpectSimulatedClaims({"node_services", 10}); }
TEST_CASE("boot_services.lua") { ExpectSimulatedClaims({"boot_services", 6}); }
TEST_CASE("module_loading.lua") { ExpectSimulatedClaims({"module_loading", 5}); }
TEST_CASE("gate_events.lua") { ExpectSimulatedClaims({"gate_events", 6}); }
TEST_CASE("gate_server.lua") { ExpectSimulatedClaims({"gate_server", 5}); }
TEST_CASE("cluster_caller.lua") { ExpectSimulatedClaims({"cluster_caller", 9}); }
TEST_CASE("critical_section.lua") { ExpectSimulatedClaims({"critical_section", 6}); }
TEST_CASE("socket_streams.lua") { ExpectSimulatedClaims({"socket_streams", 8}); }
TEST_CASE("socket_driver.lua") { ExpectSimulatedClaims({"socket_driver", 7}); }
TEST_CASE("socket_uses.lua") { ExpectSimulatedClaims({"socket_uses", 10}); }
TEST_CASE("socket_channel.lua") { ExpectSimulatedClaims({"socket_channel", 13}); }
TEST_CASE("cluster_calls.lua") { ExpectSimulatedClaims({"cluster_calls", 16}); }
TEST_CASE("cluster_wire.lua") {
  ExpectSimulatedClaims({"cluster_wire", 18, {{"cluster_request_max", "300000"}}});
}
TEST_CASE("upstream_defects.lua") { ExpectSimulatedClaims({"upstream_defects", 10}); }
TEST_CASE("cluster_batch.lua") { ExpectSimulatedClaims({"cluster_batch", 6}); }

}  // namespace
}  // namespace skysim
