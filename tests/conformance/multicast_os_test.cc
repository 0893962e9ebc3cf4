#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("multicast.lua on threads") { ExpectThreadedClaims({"multicast", 18}); }

}  // namespace
}  // namespace skysim
