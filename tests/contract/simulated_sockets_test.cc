#include "catch2/catch_test_macros.hpp"
#include "tests/contract/simulated_world.h"
#include "tests/contract/socket_contract.h"

namespace skysim {
namespace {

TEST_CASE("sockets over a simulated network have the ids that they must") {
  CheckSocketIds(EachWorld());
}

TEST_CASE("sockets over a simulated network tell the events that they must") {
  CheckSocketEvents(EachWorld());
}

TEST_CASE("sockets over a simulated network go through the states that they must") {
  CheckSocketStates(EachWorld());
}

TEST_CASE("sockets over a simulated network close as they must") {
  CheckSocketClosing(EachWorld());
}

TEST_CASE("sockets over a simulated network write in the order that they must") {
  CheckSocketWriting(EachWorld());
}

TEST_CASE("sockets over a simulated network warn as they must") {
  CheckSocketWarnings(EachWorld());
}

TEST_CASE("sockets over a simulated network carry datagrams as they must") {
  CheckSocketDatagrams(EachWorld());
}

}  // namespace
}  // namespace skysim
