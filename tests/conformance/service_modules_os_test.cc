// Modules over skynet.lua: services made of functions, request queues, snax.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("named_functions.lua on threads") { ExpectThreadedClaims({"named_functions", 10}); }
TEST_CASE("data_center.lua on threads") { ExpectThreadedClaims({"data_center", 8}); }
TEST_CASE("requests.lua on threads") { ExpectThreadedClaims({"requests", 10}); }
TEST_CASE("critical_section.lua on threads") { ExpectThreadedClaims({"critical_section", 6}); }
TEST_CASE("queued_requests.lua on threads") { ExpectThreadedClaims({"queued_requests", 6}); }
TEST_CASE("snax_objects.lua on threads") { ExpectThreadedClaims({"snax_objects", 19}); }
TEST_CASE("snax_config.lua on threads") { ExpectThreadedClaims({"snax_config", 2}); }
TEST_CASE("snax_cluster.lua on threads") { ExpectThreadedClaims({"snax_cluster", 6}); }

}  // namespace
}  // namespace skysim
