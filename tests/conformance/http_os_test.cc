// Crypt, DNS, HTTP and websockets on the operating system.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("crypt.lua on threads") { ExpectThreadedClaims({"crypt", 16}); }
TEST_CASE("dns.lua on threads") { ExpectThreadedClaims({"dns", 15}); }
TEST_CASE("http.lua on threads") { ExpectThreadedClaims({"http", 26}); }
TEST_CASE("http_malformed.lua on threads") { ExpectThreadedClaims({"http_malformed", 9}); }
TEST_CASE("websocket.lua on threads") { ExpectThreadedClaims({"websocket", 20}); }
TEST_CASE("websocket_malformed.lua on threads") {
  ExpectThreadedClaims({"websocket_malformed", 8});
}

}  // namespace
}  // namespace skysim
