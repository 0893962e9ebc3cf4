// Crypt, DNS, HTTP and websockets on a simulated node.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("crypt.lua") { ExpectSimulatedClaims({"crypt", 15}); }

}  // namespace
}  // namespace skysim
