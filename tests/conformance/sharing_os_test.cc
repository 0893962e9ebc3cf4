// What services share beside messages, and tools of a node, on worker threads.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("shared_data.lua on threads") { ExpectThreadedClaims({"shared_data", 19}); }
TEST_CASE("shared_tables.lua on threads") { ExpectThreadedClaims({"shared_tables", 10}); }
TEST_CASE("datasheets.lua on threads") { ExpectThreadedClaims({"datasheets", 12}); }
TEST_CASE("stm_versions.lua on threads") { ExpectThreadedClaims({"stm_versions", 6}); }
TEST_CASE("node_tools.lua on threads") { ExpectThreadedClaims({"node_tools", 7}); }

}  // namespace
}  // namespace skysim
