// What every service uses (skynet.core, skynet, skynet.manager, the services of a node), on worker
// threads of the operating system. service_exit.lua, debug_protocol.lua and logged_lines.lua
// count on the calm of virtual time and only run simulated.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("function_names.lua on threads") { ExpectThreadedClaims({"function_names", 10}); }
TEST_CASE("core_module.lua on threads") { ExpectThreadedClaims({"core_module", 12}); }
TEST_CASE("task_order.lua on threads") { ExpectThreadedClaims({"task_order", 20}); }
TEST_CASE("calls.lua on threads") { ExpectThreadedClaims({"calls", 20}); }
TEST_CASE("service_facts.lua on threads") { ExpectThreadedClaims({"service_facts", 6}); }
TEST_CASE("protocols.lua on threads") { ExpectThreadedClaims({"protocols", 9}); }
TEST_CASE("user_coroutines.lua on threads") { ExpectThreadedClaims({"user_coroutines", 15}); }
TEST_CASE("module_loading.lua on threads") { ExpectThreadedClaims({"module_loading", 5}); }
TEST_CASE("boot_services.lua on threads") { ExpectThreadedClaims({"boot_services", 6}); }
TEST_CASE("node_services.lua on threads") { ExpectThreadedClaims({"node_services", 10}); }

}  // namespace
}  // namespace skysim
