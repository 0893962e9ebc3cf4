#include "simnet/memory/arena.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"

namespace skysim {
namespace {

using Catch::Matchers::ContainsSubstring;

// Small, so that tests can fill it; elsewhere than the real one, so that both can exist.
constexpr ArenaOptions kTiny = {0x7ea000000000, 64 * Arena::kSpanBytes};

std::unique_ptr<Arena> NewArena(const ArenaOptions& options = {}) {
  absl::StatusOr<std::unique_ptr<Arena>> arena = Arena::Create(options);
  INFO(arena.status());
  REQUIRE(arena.ok());
  return *std::move(arena);
}

// What a child process writes to standard error while `act` ends it; empty when it survives.
std::string DeathText(const std::function<void()>& act) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[1024];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  bool survived = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return survived ? std::string() : text;
}

// Allocates, resizes and frees at random, with every block filled by its own byte, and checks the
// bytes before each change. Returns the addresses in the order given.
std::vector<void*> RandomLife(Memory& memory, unsigned seed, int steps, size_t size_max) {
  struct Block {
    char* bytes;
    size_t size;
    char fill;
  };
  std::mt19937 numbers(seed);
  std::vector<Block> blocks;
  std::vector<void*> addresses;
  auto size = [&] { return 1 + numbers() % (numbers() % 8 == 0 ? size_max : 300); };
  auto intact = [](const Block& block, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      if (block.bytes[i] != block.fill) return false;
    }
    return true;
  };
  for (int step = 0; step < steps; ++step) {
    unsigned what = numbers() % 8;
    if (what < 4 || blocks.empty()) {
      Block block = {nullptr, size(), static_cast<char>(step)};
      block.bytes = static_cast<char*>(memory.Allocate(block.size));
      std::memset(block.bytes, block.fill, block.size);
      addresses.push_back(block.bytes);
      blocks.push_back(block);
      continue;
    }
    Block& block = blocks[numbers() % blocks.size()];
    REQUIRE(intact(block, block.size));
    if (what < 6) {
      size_t kept = block.size;
      block.size = size();
      block.bytes = static_cast<char*>(memory.Reallocate(block.bytes, block.size));
      REQUIRE(intact(block, std::min(kept, block.size)));
      std::memset(block.bytes, block.fill, block.size);
      addresses.push_back(block.bytes);
    } else {
      memory.Free(block.bytes);
      block = blocks.back();
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    REQUIRE(intact(block, block.size));
    memory.Free(block.bytes);
  }
  return addresses;
}

TEST_CASE("arena starts at its fixed address") {
  std::unique_ptr<Arena> arena = NewArena();

  CHECK(reinterpret_cast<uintptr_t>(arena->Allocate(1)) == 0x7e9000000000);
}

TEST_CASE("arena says so when its addresses are taken") {
  std::unique_ptr<Arena> first = NewArena();

  absl::Status second = Arena::Create().status();

  CHECK(second.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(second.message()), ContainsSubstring("at 0x7e9000000000"));
  CHECK_THAT(std::string(second.message()), ContainsSubstring("something else is mapped there"));
}

TEST_CASE("arena aligns every size to 16 and gives all of it") {
  std::unique_ptr<Arena> arena = NewArena();

  for (size_t size = 1; size <= 70'000; size += size < 1100 ? 1 : 509) {
    void* block = arena->Allocate(size);
    REQUIRE(reinterpret_cast<uintptr_t>(block) % 16 == 0);
    std::memset(block, 0x5a, size);
    REQUIRE(arena->bytes_used() >= size);
    REQUIRE(arena->bytes_used() <= std::max(size + 15, size + size / 2 + 1));
    arena->Free(block);
    REQUIRE(arena->bytes_used() == 0);
  }
}

TEST_CASE("arena keeps blocks apart under a random life") {
  std::unique_ptr<Arena> arena = NewArena();

  RandomLife(*arena, 1, 20'000, 100'000);

  CHECK(arena->bytes_used() == 0);
}

TEST_CASE("arena gives the same addresses to the same calls") {
  std::vector<void*> first = RandomLife(*NewArena(), 2, 5'000, 100'000);
  std::vector<void*> second = RandomLife(*NewArena(), 2, 5'000, 100'000);

  CHECK(first == second);
}

TEST_CASE("arena repeats its addresses after a reset") {
  std::unique_ptr<Arena> arena = NewArena();
  std::vector<void*> first = RandomLife(*arena, 3, 5'000, 100'000);
  for (int i = 0; i < 100; ++i) std::memset(arena->Allocate(1u << 20), 1, 1u << 20);

  arena->Reset();

  CHECK(arena->bytes_used() == 0);
  CHECK(arena->spans_used() == 0);
  CHECK(RandomLife(*arena, 3, 5'000, 100'000) == first);
}

TEST_CASE("arena gives the block freed last first") {
  std::unique_ptr<Arena> arena = NewArena();
  void* a = arena->Allocate(100);
  void* b = arena->Allocate(100);

  arena->Free(a);
  arena->Free(b);

  CHECK(arena->Allocate(97) == b);
  CHECK(arena->Allocate(112) == a);
}

TEST_CASE("arena keeps a block whose new size has the same class") {
  std::unique_ptr<Arena> arena = NewArena();
  void* block = arena->Allocate(600);

  CHECK(arena->Reallocate(block, 640) == block);
  CHECK(arena->Reallocate(block, 513) == block);
  CHECK(arena->Reallocate(block, 512) != block);
}

TEST_CASE("arena joins free large blocks and takes the lowest that fits") {
  std::unique_ptr<Arena> arena = NewArena();
  constexpr size_t kBlock = 3 * Arena::kSpanBytes;
  void* blocks[5];
  for (void*& block : blocks) block = arena->Allocate(kBlock);

  arena->Free(blocks[2]);
  arena->Free(blocks[0]);
  arena->Free(blocks[1]);

  CHECK(arena->Allocate(3 * kBlock) == blocks[0]);
  CHECK(arena->spans_used() == 15);
}

TEST_CASE("arena grows and shrinks a large block in place when the spans behind it are free") {
  std::unique_ptr<Arena> arena = NewArena();
  void* first = arena->Allocate(100'000);
  void* second = arena->Allocate(100'000);
  arena->Free(arena->Allocate(100'000));

  CHECK(arena->Reallocate(second, 1'000'000) == second);
  CHECK(arena->Reallocate(first, 40'000) == first);
  CHECK(arena->Reallocate(first, 110'000) == first);
  CHECK(arena->Reallocate(first, 200'000) != first);
}

TEST_CASE("arena ends the process when it is full, and says how full") {
  std::unique_ptr<Arena> arena = NewArena(kTiny);
  arena->Allocate(60 * Arena::kSpanBytes);

  std::string text = DeathText([&] { arena->Allocate(5 * Arena::kSpanBytes); });

  CHECK_THAT(text, ContainsSubstring("arena: out of memory: no room for a block of 81920 bytes"));
  CHECK_THAT(text, ContainsSubstring("60 of 64 spans"));
  CHECK_THAT(DeathText([&] { arena->Allocate(size_t{1} << 40); }),
             ContainsSubstring("more than there is"));
  CHECK(arena->Allocate(4 * Arena::kSpanBytes) != nullptr);
}

TEST_CASE("arena ends the process on a second free") {
  std::unique_ptr<Arena> arena = NewArena();
  void* small = arena->Allocate(48);
  void* large = arena->Allocate(48'000);
  arena->Free(small);
  arena->Free(large);

  CHECK_THAT(DeathText([&] { arena->Free(small); }),
             ContainsSubstring("0x7e9000000000 is freed already"));
  CHECK_THAT(DeathText([&] { arena->Free(large); }), ContainsSubstring("freed twice"));
}

TEST_CASE("arena ends the process on pointers that it did not give out") {
  std::unique_ptr<Arena> arena = NewArena();
  char* small = static_cast<char*>(arena->Allocate(48));
  char* large = static_cast<char*>(arena->Allocate(48'000));
  int foreign = 0;

  CHECK_THAT(DeathText([&] { arena->Free(&foreign); }),
             ContainsSubstring("is not memory of this arena"));
  CHECK_THAT(DeathText([&] { arena->Free(small + 16); }),
             ContainsSubstring("is inside a block of 48 bytes"));
  CHECK_THAT(DeathText([&] { arena->Free(large + 16); }), ContainsSubstring("is inside a block"));
  CHECK_THAT(DeathText([&] { arena->Reallocate(large + Arena::kSpanBytes, 9); }),
             ContainsSubstring("no block in use starts at"));
}

TEST_CASE("arena describes what it holds") {
  std::unique_ptr<Arena> arena = NewArena(kTiny);
  arena->Allocate(20);

  CHECK(arena->DebugString() ==
        "arena at 0x7ea000000000: 32 bytes in use, 1 of 64 spans of 16384 bytes in use, "
        "0 free spans in 0 holes; 1 slabs of 512 x 32");
}

}  // namespace
}  // namespace skysim
