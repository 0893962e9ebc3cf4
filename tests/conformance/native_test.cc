// Modules in C, on a simulated node and on the operating system.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

// A simulated node sees the work space as /skysim; the process of the test stands in it.
const ClaimFile kFile = {
    "native_modules",
    11,
    {{"lua_cpath", "/skysim/tests/native_project/luaclib/?.so;./tests/native_project/luaclib/?.so"},
     {"cpath", "/skysim/tests/native_project/cservice/?.so;./tests/native_project/cservice/?.so"}}};

TEST_CASE("native_modules.lua") { ExpectSimulatedClaims(kFile); }
TEST_CASE("native_modules.lua on threads") { ExpectThreadedClaims(kFile); }

}  // namespace
}  // namespace skysim
