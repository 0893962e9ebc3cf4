// A Lua VM on a platform that has memory, the random bits that a test gives, and nothing else: what
// tests of pure C modules need. Use of another part of the platform is an error or ends the test.
#ifndef TESTS_ENGINE_LUA_MODULE_FIXTURE_H_
#define TESTS_ENGINE_LUA_MODULE_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/lua/vm.h"
#include "tests/engine/lua/counting_memory.h"

namespace skysim {

class ModuleFixture {
 public:
  // A VM with the standard libraries.
  ModuleFixture();
  ~ModuleFixture();

  lua_State* L();
  // What modules allocate from; the VM itself does not.
  CountingMemory& memory();

  // The next draws of the platform's entropy; one more ends the test.
  void GiveEntropy(const std::vector<uint64_t>& draws);

  // Makes the value at the top of the stack a global.
  void Name(const char* global) { lua_setglobal(L(), global); }

  // Runs a chunk that is expected to succeed; returns its first result as text ("nil" if none).
  std::string Run(const std::string& chunk);

  // Runs a chunk that is expected to raise; returns the message without its position.
  std::string Failure(const std::string& chunk);

 private:
  struct World;

  std::string Do(const std::string& chunk);

  std::unique_ptr<World> world_;
  bool has_failed_ = false;
};

}  // namespace skysim

#endif  // TESTS_ENGINE_LUA_MODULE_FIXTURE_H_
