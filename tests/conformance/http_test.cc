// Crypt, DNS, HTTP and websockets on a simulated node.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("crypt.lua") { ExpectSimulatedClaims({"crypt", 16}); }
TEST_CASE("dns.lua") { ExpectSimulatedClaims({"dns", 15}); }
TEST_CASE("dns_silence.lua") { ExpectSimulatedClaims({"dns_silence", 5}); }
TEST_CASE("http.lua") { ExpectSimulatedClaims({"http", 26}); }
TEST_CASE("http_malformed.lua") { ExpectSimulatedClaims({"http_malformed", 9}); }
TEST_CASE("websocket.lua") { ExpectSimulatedClaims({"websocket", 20}); }
TEST_CASE("websocket_malformed.lua") { ExpectSimulatedClaims({"websocket_malformed", 8}); }

}  // namespace
}  // namespace skysim
