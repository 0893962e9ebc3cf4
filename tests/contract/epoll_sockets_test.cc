#include <memory>

#include "catch2/catch_test_macros.hpp"
#include "tests/contract/epoll_world.h"
#include "tests/contract/socket_contract.h"

namespace skysim {
namespace {

std::unique_ptr<TransportWorld> Make() { return std::make_unique<EpollWorld>(); }

TEST_CASE("sockets over epoll have the ids that they must") {
  CheckSocketIds(Make);
}

TEST_CASE("sockets over epoll tell the events that they must") {
  CheckSocketEvents(Make);
}

TEST_CASE("sockets over epoll go through the states that they must") {
  CheckSocketStates(Make);
}

TEST_CASE("sockets over epoll close as they must") {
  CheckSocketClosing(Make);
}

TEST_CASE("sockets over epoll write in the order that they must") {
  CheckSocketWriting(Make);
}

TEST_CASE("sockets over epoll warn as they must") {
  CheckSocketWarnings(Make);
}

TEST_CASE("sockets over epoll carry datagrams as they must") {
  CheckSocketDatagrams(Make);
}

}  // namespace
}  // namespace skysim
