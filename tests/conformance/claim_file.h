#ifndef TESTS_CONFORMANCE_CLAIM_FILE_H_
#define TESTS_CONFORMANCE_CLAIM_FILE_H_

#include <cstddef>
#include <map>
#include <string>

namespace skysim {

// A file of this folder that makes claims (claims.lua), as the `start` service of a node.
struct ClaimFile {
  std::string name;    // without .lua
  size_t claims = 0;   // how many it makes, so that none is skipped in silence
  // Config entries of its node beside `start`.
  std::map<std::string, std::string> config = {};
};

// Fail the test unless every claim holds and the file ends its node.
// On a simulated node, with 1, 2 and 8 workers and several seeds, some of them with any order: what
// a service may rely on must hold in every interleaving. (Library :simulated_claims.)
void ExpectSimulatedClaims(const ClaimFile& file);
// On the operating system, with 1 and 4 worker threads: epoll, real clocks, the loopback device.
// (Library :threaded_claims.)
void ExpectThreadedClaims(const ClaimFile& file);

}  // namespace skysim

#endif  // TESTS_CONFORMANCE_CLAIM_FILE_H_
