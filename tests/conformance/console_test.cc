// The debug console and the remote debugger, on a simulated node and on the operating system.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

const ClaimFile kFile = {"console_commands", 18, {{"debug_console_max", "4"}}};

TEST_CASE("remote_debug.lua") { ExpectSimulatedClaims({"remote_debug", 13}); }
TEST_CASE("remote_debug.lua over real sockets") { ExpectThreadedClaims({"remote_debug", 13}); }
TEST_CASE("console_commands.lua") { ExpectSimulatedClaims(kFile); }
TEST_CASE("console_commands.lua over real sockets") { ExpectThreadedClaims(kFile); }

}  // namespace
}  // namespace skysim
