#include "engine/core/registry.h"

#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

// A registry of its own, and services of a node to put into it.
class RegistryFixture {
 public:
  explicit RegistryFixture(uint32_t harbor = 0, uint32_t first_index = 1)
      : registry(harbor, first_index) {}

  Handle Add() { return registry.Add(NewContext()); }
  ServiceContext* NewContext() {
    return new ServiceContext(*node_.node, std::make_unique<TestService>(script), "test");
  }
  int dead() const { return script.dead; }

  TestService::Script script;

 private:
  FakeNode node_;

 public:
  Registry registry;
};

using Handles = std::vector<Handle>;

TEST_CASE("handles count up from 1") {
  RegistryFixture fixture;

  for (Handle expected = 1; expected <= 20; ++expected) CHECK(fixture.Add() == expected);
  CHECK(fixture.registry.size() == 20);
}

TEST_CASE("the harbor id is in every handle") {
  RegistryFixture fixture(5);

  CHECK(fixture.Add() == 0x05000001);
  CHECK(fixture.Add() == 0x05000002);
  CHECK(fixture.registry.Find(0x05000002).get() != nullptr);
  CHECK(fixture.registry.Find(2).get() == nullptr);
}

TEST_CASE("an index does not come back before the counter went round") {
  RegistryFixture fixture;
  fixture.Add();
  fixture.Add();

  fixture.registry.Remove(1);

  CHECK(fixture.Add() == 3);
  CHECK(!fixture.registry.Find(1));
}

TEST_CASE("after 0xffffff comes 1") {
  RegistryFixture fixture(0, kHandleIndexMask);

  CHECK(fixture.Add() == kHandleIndexMask);
  CHECK(fixture.Add() == 1);
  CHECK(fixture.Add() == 2);
}

TEST_CASE("after the wrap-around busy slots are skipped") {
  RegistryFixture fixture(0, kHandleIndexMask - 2);

  CHECK(fixture.Add() == kHandleIndexMask - 2);  // 0xfffffd: slot 1 of 4, as 1 would be
  CHECK(fixture.Add() == kHandleIndexMask);      // not 0xfffffe, the guest's
  CHECK(fixture.Add() == 2);
  CHECK(fixture.Add() == 4);                     // 0xffffff has slot 3
  CHECK(fixture.Add() == 6);                     // 8 slots now: 5 and 7 are busy, 6 is free
}

TEST_CASE("services are found by handle however many there are") {
  RegistryFixture fixture;
  for (int i = 0; i < 1000; ++i) fixture.Add();
  for (Handle handle = 2; handle <= 1000; handle += 2) fixture.registry.Remove(handle);

  for (Handle handle = 1; handle <= 1000; ++handle) {
    ServiceRef found = fixture.registry.Find(handle);
    REQUIRE(static_cast<bool>(found) == (handle % 2 == 1));
    if (found) REQUIRE(found->handle() == handle);
  }
  CHECK(fixture.registry.size() == 500);
  CHECK(fixture.dead() == 500);
}

TEST_CASE("a name keeps its handle") {
  RegistryFixture fixture;
  fixture.Add();
  fixture.Add();

  CHECK(fixture.registry.AddName("one", 1));
  CHECK(!fixture.registry.AddName("one", 2));
  CHECK(!fixture.registry.AddName("one", 1));
  CHECK(fixture.registry.AddName("uno", 1));

  CHECK(fixture.registry.FindName("one") == 1u);
  CHECK(fixture.registry.FindName("uno") == 1u);
  CHECK(!fixture.registry.FindName("two").has_value());
}

TEST_CASE("the names of a service vanish with it and are free again") {
  RegistryFixture fixture;
  fixture.Add();
  fixture.Add();
  fixture.registry.AddName("one", 1);
  fixture.registry.AddName("uno", 1);
  fixture.registry.AddName("two", 2);

  fixture.registry.Remove(1);

  CHECK(!fixture.registry.FindName("one").has_value());
  CHECK(!fixture.registry.FindName("uno").has_value());
  CHECK(fixture.registry.FindName("two") == 2u);
  CHECK(fixture.registry.AddName("one", 2));
}

TEST_CASE("nobody who is not alive gets a name") {
  RegistryFixture fixture;

  CHECK(!fixture.registry.AddName("ghost", 7));
}

TEST_CASE("a service that is removed lives as long as somebody holds it") {
  RegistryFixture fixture;
  fixture.Add();
  {
    ServiceRef held = fixture.registry.Find(1);
    fixture.registry.Remove(1);
    CHECK(fixture.dead() == 0);
  }

  CHECK(fixture.dead() == 1);
  CHECK(!fixture.registry.Remove(1));
}

TEST_CASE("the guest is found, is not counted, takes no handle, and stays until the end") {
  RegistryFixture fixture;
  fixture.registry.AddGuest(fixture.NewContext());

  CHECK(fixture.Add() == 1);
  CHECK(fixture.registry.size() == 1);
  CHECK(fixture.registry.Handles() == Handles{1});
  CHECK(fixture.registry.Find(Registry::kGuestIndex).get() != nullptr);
  // Its slot would be 0xfffffe % 4 == 2: not that of another service.
  CHECK(fixture.Add() == 2);
  CHECK(!fixture.registry.Remove(Registry::kGuestIndex));
  CHECK(fixture.registry.Find(2).get() != nullptr);
  CHECK(fixture.registry.size() == 2);

  fixture.registry.Clear();

  CHECK(fixture.dead() == 3);
}

}  // namespace
}  // namespace skysim
