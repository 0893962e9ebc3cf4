#include <memory>

#include "catch2/catch_test_macros.hpp"
#include "tests/contract/epoll_world.h"
#include "tests/contract/transport_contract.h"

namespace skysim {
namespace {

std::unique_ptr<TransportWorld> Make() { return std::make_unique<EpollWorld>(); }

TEST_CASE("epoll connects as a transport must") { CheckConnecting(Make); }

TEST_CASE("epoll listens as a transport must") { CheckListening(Make); }

TEST_CASE("epoll reports readiness as a transport must") { CheckReadiness(Make); }

TEST_CASE("epoll carries streams as a transport must") { CheckStreams(Make); }

TEST_CASE("epoll tells of breaks as a transport must") { CheckBreaks(Make); }

TEST_CASE("epoll carries datagrams as a transport must") { CheckDatagrams(Make); }

TEST_CASE("epoll knows names as a transport must") { CheckNames(Make); }

}  // namespace
}  // namespace skysim
