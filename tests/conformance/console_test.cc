// The debug console, on a simulated node and on the operating system.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

const ClaimFile kFile = {"console_commands", 18, {{"debug_console_max", "4"}}};

TEST_CASE("console_commands.lua") { ExpectSimulatedClaims(kFile); }
TEST_CASE("console_commands.lua over real sockets") { ExpectThreadedClaims(kFile); }

}  // namespace
}  // namespace skysim
