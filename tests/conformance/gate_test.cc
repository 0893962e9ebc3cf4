// The gate in C++ and what stands on gates, on a simulated node and on the operating system.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("gate_module.lua") { ExpectSimulatedClaims({"gate_module", 8}); }
TEST_CASE("login.lua") { ExpectSimulatedClaims({"login", 11}); }
TEST_CASE("login.lua over real sockets") { ExpectThreadedClaims({"login", 11}); }
TEST_CASE("gate_module.lua over real sockets") { ExpectThreadedClaims({"gate_module", 8}); }

}  // namespace
}  // namespace skysim
