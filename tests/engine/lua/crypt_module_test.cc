#include "engine/lua/crypt_module.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

// The other functions are claimed in tests/conformance/crypt.lua.
class CryptFixture : public ModuleFixture {
 public:
  CryptFixture() {
    luaL_requiref(L(), "skynet.crypt", OpenCrypt, 0);
    Name("crypt");
  }
};

TEST_CASE_METHOD(CryptFixture, "randomkey is one draw of the platform, lowest byte first") {
  GiveEntropy({0x0807060504030201});

  CHECK(Run("return crypt.randomkey()") == "\x01\x02\x03\x04\x05\x06\x07\x08");
}

TEST_CASE_METHOD(CryptFixture, "randomkey draws again while the bytes xor to 0") {
  GiveEntropy({0, 0x1111111111111111, 0x00000000ff0000ff, 0x8000000000000000});

  CHECK(Run("return crypt.hexencode(crypt.randomkey())") == "0000000000000080");
}

TEST_CASE_METHOD(CryptFixture, "an error of crypt names what is wrong") {
  CHECK(Failure("crypt.desencode('', 'x')") == "Invalid key size 0, need 8 bytes");
  CHECK(Failure("crypt.desencode('12345678', 'x', 7)") == "Invalid padding mode 7");
  CHECK(Failure("crypt.dhexchange(('\\0'):rep(8))") == "Can't be 0");
}

}  // namespace
}  // namespace skysim
