// Modules over skynet.lua: services made of functions, request queues, snax.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("named_functions.lua") { ExpectSimulatedClaims({"named_functions", 10}); }
TEST_CASE("data_center.lua") { ExpectSimulatedClaims({"data_center", 8}); }
TEST_CASE("queued_requests.lua") { ExpectSimulatedClaims({"queued_requests", 6}); }
TEST_CASE("snax_objects.lua") { ExpectSimulatedClaims({"snax_objects", 19}); }
TEST_CASE("snax_config.lua") { ExpectSimulatedClaims({"snax_config", 2}); }
TEST_CASE("snax_cluster.lua") { ExpectSimulatedClaims({"snax_cluster", 6}); }

}  // namespace
}  // namespace skysim
