// The skysim command.
#include <cstdio>

#include "tools/third_party/lua/lua_api.h"

int main() {
  std::printf("skysim 0.1.0 (%s)\n", LUA_RELEASE);
  return 0;
}
