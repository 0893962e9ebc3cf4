// Crypt, DNS, HTTP and websockets on the operating system.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("crypt.lua on threads") { ExpectThreadedClaims({"crypt", 15}); }
TEST_CASE("dns.lua on threads") { ExpectThreadedClaims({"dns", 15}); }

}  // namespace
}  // namespace skysim
