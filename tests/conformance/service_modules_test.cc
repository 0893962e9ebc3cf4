// Modules over skynet.lua: services made of functions, request queues.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("named_functions.lua") { ExpectSimulatedClaims({"named_functions", 10}); }
TEST_CASE("queued_requests.lua") { ExpectSimulatedClaims({"queued_requests", 6}); }

}  // namespace
}  // namespace skysim
