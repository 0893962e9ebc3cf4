#include "engine/core/config.h"

#include <string>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

absl::Status CompleteWith(const std::string& key, const std::string& value) {
  Config config;
  config.entries[key] = value;
  return config.Complete();
}

TEST_CASE("a config is completed with skynet's defaults") {
  Config config;

  REQUIRE(config.Complete().ok());

  CHECK(config.Get("thread") == "8");
  CHECK(config.Get("cpath") == "./cservice/?.so");
  CHECK(config.Get("harbor") == "1");
  CHECK(config.Get("bootstrap") == "snlua bootstrap");
  CHECK(config.Get("logservice") == "logger");
  CHECK(config.Get("profile") == "true");
  CHECK(config.entries.count("start") == 0);
}

TEST_CASE("a default does not replace what is set") {
  Config config;
  config.entries["thread"] = "3";
  config.entries["logger"] = "file";

  REQUIRE(config.Complete().ok());

  CHECK(config.Get("thread") == "3");
  CHECK(config.Get("logger") == "file");
  CHECK(config.Get("absent", "otherwise") == "otherwise");
  CHECK(config.Get("absent").empty());
}

TEST_CASE("a thread count outside of 1..1024 is refused with key, value and range") {
  for (const char* value : {"0", "1025", "-1", "many", "", "1.5"}) {
    absl::Status status = CompleteWith("thread", value);

    CHECK(status.message() == std::string("config: thread is \"") + value +
                                  "\", but must be a number in [1,1024]");
  }
  CHECK(CompleteWith("thread", "1").ok());
  CHECK(CompleteWith("thread", "1024").ok());
}

TEST_CASE("limits have defaults, and 0 means none") {
  Config config;
  config.entries["cluster_request_max"] = "0";

  REQUIRE(config.Complete().ok());

  CHECK(config.Limit("socket_queue_max") == int64_t{256} << 20);
  CHECK(config.Limit("cluster_request_max") == 0);
  CHECK(config.Limit("gate_client_max") == 1024);
}

TEST_CASE("a limit that is no number of bytes is refused") {
  CHECK(CompleteWith("socket_queue_max", "64MB").message() ==
        "config: socket_queue_max is \"64MB\", but must be a number in [0,1125899906842624]");
}

TEST_CASE("a harbor id outside of 0..255 is refused") {
  CHECK(CompleteWith("harbor", "256").message() ==
        "config: harbor is \"256\", but must be a number in [0,255]");
  CHECK(CompleteWith("harbor", "0").ok());
  CHECK(CompleteWith("harbor", "255").ok());
}

}  // namespace
}  // namespace skysim
