#include "tools/third_party/lua/hash_walk.h"

#include <cstdint>
#include <map>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace {

std::vector<uint32_t> Nodes(const SkysimHashWalk& walk, int n) {
  std::vector<uint32_t> nodes;
  for (uint32_t position = 0; position < uint32_t{1} << n; ++position) {
    nodes.push_back(walk.NodeAt(position));
  }
  return nodes;
}

const void* Table(uintptr_t address) { return reinterpret_cast<const void*>(address); }

// Order of the 2^n nodes -> how many of 2400 walks have it.
std::map<std::vector<uint32_t>, int> Orders(int n) {
  std::map<std::vector<uint32_t>, int> orders;
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    for (int order = 1; order <= 100; ++order) {
      const SkysimHashWalk walk(seed, static_cast<uint8_t>(order), Table(0x7e9000000100), n);
      ++orders[Nodes(walk, n)];
    }
  }
  return orders;
}

}  // namespace

TEST_CASE("a walk comes by every node once, and a node knows its position") {
  for (int n = 0; n <= 12; ++n) {
    for (int order = 1; order <= 255; order += 2) {
      const SkysimHashWalk walk(77, static_cast<uint8_t>(order), Table(0x7e9000000040), n);
      std::vector<bool> seen(size_t{1} << n);
      for (uint32_t position = 0; position < seen.size(); ++position) {
        const uint32_t node = walk.NodeAt(position);
        if (node >= seen.size() || seen[node] || walk.PositionOf(node) != position) {
          FAIL("n " << n << " order " << order << " position " << position << " node " << node);
        }
        seen[node] = true;
      }
    }
  }
  const SkysimHashWalk biggest(77, 1, Table(0x7e9000000040), 31);
  CHECK(biggest.PositionOf(biggest.NodeAt(0x7fffffff)) == 0x7fffffff);
}

TEST_CASE("two nodes are walked in both orders, four in all 24, none of them rarely") {
  const auto two = Orders(1);
  CHECK(two.size() == 2);
  for (const auto& [order, times] : two) CHECK(times > 1000);  // of 1200 on average

  const auto four = Orders(2);
  CHECK(four.size() == 24);
  for (const auto& [order, times] : four) CHECK(times > 40);  // of 100 on average
}

TEST_CASE("a walk depends on the table, its size, the seed and the order") {
  const std::vector<uint32_t> nodes = Nodes(SkysimHashWalk(1, 1, Table(0x1000), 6), 6);

  CHECK(Nodes(SkysimHashWalk(1, 1, Table(0x1000), 6), 6) == nodes);
  CHECK(Nodes(SkysimHashWalk(1, 1, Table(0x1010), 6), 6) != nodes);
  CHECK(Nodes(SkysimHashWalk(2, 1, Table(0x1000), 6), 6) != nodes);
  CHECK(Nodes(SkysimHashWalk(1, 2, Table(0x1000), 6), 6) != nodes);
  std::vector<uint32_t> first_of_bigger = Nodes(SkysimHashWalk(1, 1, Table(0x1000), 7), 7);
  first_of_bigger.resize(nodes.size());
  CHECK(first_of_bigger != nodes);
}
