// What services share beside messages, and tools of a node, on a simulated node.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("shared_data.lua") { ExpectSimulatedClaims({"shared_data", 19}); }
TEST_CASE("shared_tables.lua") { ExpectSimulatedClaims({"shared_tables", 10}); }
TEST_CASE("datasheets.lua") { ExpectSimulatedClaims({"datasheets", 12}); }
TEST_CASE("stm_versions.lua") { ExpectSimulatedClaims({"stm_versions", 6}); }
TEST_CASE("node_tools.lua") { ExpectSimulatedClaims({"node_tools", 7}); }

}  // namespace
}  // namespace skysim
