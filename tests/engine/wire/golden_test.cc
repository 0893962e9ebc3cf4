// The codecs against bytes captured from skynet (tests/golden/README.md).
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/wire/cluster_codec.h"
#include "engine/wire/netpack.h"
#include "engine/wire/seri.h"
#include "tests/engine/wire/hex.h"

namespace skysim {
namespace {

using Frames = std::vector<std::string>;

// The frames of a capture, each with its length bytes.
Frames Load(const std::string& name) {
  std::ifstream file(absl::StrCat("tests/golden/", name, ".hex"));
  INFO(name);
  REQUIRE(file.good());
  Frames frames;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) frames.push_back(Bytes(line));
  }
  REQUIRE_FALSE(frames.empty());
  return frames;
}

absl::string_view Body(const std::string& frame) { return absl::string_view(frame).substr(2); }

// Everything that callers wrote: cluster_* and client_*, in the order of the README.
std::vector<std::string> RequestCaptures() {
  return {
      "cluster_query_ok.c2s", "cluster_query_fail.c2s", "cluster_call_small_number.c2s",
      "cluster_call_small_atname.c2s", "cluster_call_small_dotname.c2s",
      "cluster_call_empty_response.c2s", "cluster_call_large_number.c2s",
      "cluster_call_large_name.c2s", "cluster_call_large_response.c2s", "cluster_req_32767.c2s",
      "cluster_req_32768.c2s", "cluster_req_65536.c2s", "cluster_resp_32768.c2s",
      "cluster_resp_32769.c2s", "cluster_push_small_number.c2s", "cluster_push_small_name.c2s",
      "cluster_push_large_number.c2s", "cluster_push_large_name.c2s",
      "cluster_push_invalid_name.c2s", "cluster_push_invalid_addr.c2s", "cluster_err_callee.c2s",
      "cluster_err_bad_addr.c2s", "cluster_err_bad_dotname.c2s", "cluster_err_bad_atname.c2s",
      "cluster_after.c2s", "cluster_trace_small.c2s", "cluster_trace_large.c2s",
      "cluster_trace_query_then_plain.c2s", "cluster_proxy_call.c2s", "cluster_proxy_send.c2s",
      "cluster_snax.c2s", "cluster_snax_post.c2s", "cluster_u_r_order.c2s",
      "client_01_first_contact.c2s", "client_02_eight_in_one_segment.c2s",
      "client_03_reversed.c2s", "client_04_interleaved_multipart.c2s",
      "client_05_unknown_session.c2s", "client_06_size_mismatch.c2s", "client_07_short_reply.c2s",
      "client_08_after_reconnect.c2s", "client_09_close_in_flight.c2s",
      "client_10_close_mid_multipart.c2s", "client_11_bad_reply_type.c2s",
      "client_12_error_after_parts.c2s", "client_13_server_goes.c2s", "client_14_back.c2s",
      "client_15_close.c2s", "client_16_push_after_reconnect.c2s", "client_17_big_segment.c2s",
      "client_18_zero_length.c2s"};
}

// Everything that skynet's callee wrote.
std::vector<std::string> ReplyCaptures() {
  return {
      "cluster_query_ok.s2c", "cluster_query_fail.s2c", "cluster_call_small_number.s2c",
      "cluster_call_small_atname.s2c", "cluster_call_small_dotname.s2c",
      "cluster_call_empty_response.s2c", "cluster_call_large_number.s2c",
      "cluster_call_large_name.s2c", "cluster_call_large_response.s2c", "cluster_req_32767.s2c",
      "cluster_req_32768.s2c", "cluster_req_65536.s2c", "cluster_resp_32768.s2c",
      "cluster_resp_32769.s2c", "cluster_push_invalid_name.s2c", "cluster_err_callee.s2c",
      "cluster_err_bad_addr.s2c", "cluster_err_bad_dotname.s2c", "cluster_err_bad_atname.s2c",
      "cluster_after.s2c", "cluster_trace_small.s2c", "cluster_trace_large.s2c",
      "cluster_trace_query_then_plain.s2c", "cluster_proxy_call.s2c", "cluster_snax.s2c",
      "cluster_snax_post.s2c", "cluster_u_r_order.s2c", "probe_interleaved_large.out",
      "probe_end_without_header.out", "probe_parts_without_header.out", "probe_size_mismatch.out",
      "probe_bad_frames_then_good.out", "probe_query_session0.out", "probe_query_large_form.out",
      "probe_digit_string_name.out", "probe_hex_string_name.out", "probe_push_large_bad_name.out",
      "probe_push_small_bad_name.out", "probe_pipelined.out", "probe_session_ffffffff.out",
      "probe_trace_interleave.out", "probe_duplicate_header.out", "probe_half_close.out",
      "probe_split_requests_large_reply.out"};
}

// Reads what a caller wrote and writes it again from what was understood.
class Rewriter {
 public:
  // The frames that the message which `frame` completes has when we build it; nothing while parts
  // are missing.
  Frames Take(const std::string& frame) {
    const ClusterRequest request = ParseClusterRequest(Body(frame)).value();
    switch (request.kind) {
      case ClusterRequest::Kind::kTrace:
        return {BuildClusterTrace(request.payload).value()};
      case ClusterRequest::Kind::kWhole:
        // The session of a small push is not on the wire; any will do.
        return Rebuild(request, request.is_push ? 1 : request.session, request.payload);
      case ClusterRequest::Kind::kHeader:
        header_frame_ = frame;
        payload_.clear();
        return {};
      case ClusterRequest::Kind::kPart:
      case ClusterRequest::Kind::kLastPart:
        payload_.append(request.payload.data(), request.payload.size());
        break;
    }
    if (request.kind == ClusterRequest::Kind::kPart) return {};
    const ClusterRequest header = ParseClusterRequest(Body(header_frame_)).value();
    CHECK(header.total == payload_.size());
    CHECK(header.session == request.session);
    return Rebuild(header, header.session, payload_);
  }

 private:
  Frames Rebuild(const ClusterRequest& request, uint32_t session, absl::string_view payload) {
    if (request.address.IsName() || request.address.handle != 0) {
      CHECK(ValidateSeri(payload).ok());
    }
    const ClusterFrames built =
        BuildClusterRequest(request.is_push ? ClusterIntent::kPush : ClusterIntent::kRequest,
                            request.address, session, payload)
            .value();
    Frames frames = {built.head};
    frames.insert(frames.end(), built.parts.begin(), built.parts.end());
    return frames;
  }

  std::string header_frame_;
  std::string payload_;
};

// (session, kind, payload bytes) of a reply frame, as the README's table has it.
std::string Summary(const std::string& frame) {
  const ClusterReply reply = ParseClusterReply(Body(frame)).value();
  const size_t bytes = reply.kind == ClusterReplyKind::kBegin ? 4 : reply.payload.size();
  return absl::StrCat("(", reply.session, ", ", static_cast<int>(reply.kind), ", ", bytes, ")");
}

std::string Summaries(const std::string& capture) {
  std::string all;
  for (const std::string& frame : Load(capture)) {
    absl::StrAppend(&all, all.empty() ? "" : " ", Summary(frame));
  }
  return all;
}

}  // namespace

TEST_CASE("what skynet's callers wrote is read and written again, byte for byte") {
  for (const std::string& capture : RequestCaptures()) {
    INFO(capture);
    const Frames captured = Load(capture);
    Rewriter rewriter;
    Frames rewritten;
    for (const std::string& frame : captured) {
      for (std::string& built : rewriter.Take(frame)) rewritten.push_back(std::move(built));
    }
    CHECK(rewritten == captured);
  }
}

TEST_CASE("what skynet's callees wrote is read and written again, byte for byte") {
  for (const std::string& capture : ReplyCaptures()) {
    INFO(capture);
    Frames rewritten;
    std::string payload;
    for (const std::string& frame : Load(capture)) {
      const ClusterReply reply = ParseClusterReply(Body(frame)).value();
      Frames built;
      switch (reply.kind) {
        case ClusterReplyKind::kError:
          built = {BuildClusterError(reply.session, reply.payload)};
          break;
        case ClusterReplyKind::kOk:
          built = BuildClusterReply(reply.session, reply.payload).value();
          CHECK(ValidateSeri(reply.payload).ok());
          break;
        case ClusterReplyKind::kBegin:
          payload.clear();
          break;
        case ClusterReplyKind::kPart:
        case ClusterReplyKind::kLastPart:
          payload.append(reply.payload.data(), reply.payload.size());
          if (reply.kind == ClusterReplyKind::kPart) break;
          built = BuildClusterReply(reply.session, payload).value();
          CHECK(ValidateSeri(payload).ok());
          break;
      }
      for (std::string& part : built) rewritten.push_back(std::move(part));
    }
    CHECK(rewritten == Load(capture));
  }
}

TEST_CASE("the arguments in the captures are the ones that were sent") {
  const auto arguments = [](const std::string& capture) {
    const std::string frame = Load(capture)[0];
    return SeriToText(ParseClusterRequest(Body(frame))->payload, 60).value();
  };

  CHECK(arguments("cluster_query_ok.c2s") == "\"echo\"");
  CHECK(arguments("cluster_call_small_number.c2s") == "\"ECHO\", \"hello\", 42, true");
  CHECK(arguments("cluster_call_small_atname.c2s") == "\"ECHO\", \"hello\"");
  CHECK(arguments("cluster_proxy_call.c2s") == "\"ECHO\", \"viaproxy\"");
  CHECK(arguments("cluster_snax.c2s") == "\"QUERY\", \"snaxd\", \"ping\"");
}

TEST_CASE("sessions in the captures go up by one for each request and large push") {
  int32_t session = 1;
  for (const std::string& capture : RequestCaptures()) {
    if (!absl::StartsWith(capture, "cluster_")) continue;
    INFO(capture);
    for (const std::string& frame : Load(capture)) {
      const ClusterRequest request = ParseClusterRequest(Body(frame)).value();
      const bool takes_one = request.kind == ClusterRequest::Kind::kHeader ||
                             (request.kind == ClusterRequest::Kind::kWhole && !request.is_push);
      if (!takes_one) continue;
      CHECK(request.session == static_cast<uint32_t>(session));
      session = NextClusterSession(session);
    }
  }
}

TEST_CASE("the replies to the probes are the ones in the table") {
  CHECK(Summaries("probe_interleaved_large.out") == "(100, 1, 5) (101, 1, 5)");
  CHECK(Summaries("probe_end_without_header.out") == "(200, 0, 12)");
  CHECK(Summaries("probe_parts_without_header.out") == "(201, 0, 17)");
  CHECK(Summaries("probe_size_mismatch.out") == "(202, 0, 17)");
  CHECK(Summaries("probe_bad_frames_then_good.out") == "(7, 1, 6)");
  CHECK(Summaries("probe_query_session0.out") == "(0, 1, 2)");
  CHECK(Summaries("probe_query_large_form.out") == "(203, 1, 2)");
  CHECK(Summaries("probe_push_large_bad_name.out") == "(207, 0, 12)");
  CHECK(Summaries("probe_push_small_bad_name.out") == "(0, 0, 12)");
  CHECK(Summaries("probe_session_ffffffff.out") == "(4294967295, 1, 5)");
  CHECK(Summaries("probe_trace_interleave.out") == "(411, 1, 2) (410, 1, 3)");
  CHECK(Summaries("probe_split_requests_large_reply.out") ==
        "(600, 2, 4) (600, 3, 32768) (600, 3, 32768) (600, 3, 32768) (600, 4, 1701) (601, 1, 5)");
}

TEST_CASE("the probes are read as what they are") {
  using Kind = ClusterRequest::Kind;
  const auto kinds = [](const std::string& capture) {
    std::vector<Kind> read;
    for (const std::string& frame : Load(capture)) {
      read.push_back(ParseClusterRequest(Body(frame)).value().kind);
    }
    return read;
  };

  CHECK(kinds("probe_end_without_header.in") == std::vector<Kind>{Kind::kLastPart});
  CHECK(kinds("probe_parts_without_header.in") == std::vector<Kind>{Kind::kPart, Kind::kLastPart});
  CHECK(kinds("probe_size_mismatch.in") ==
        std::vector<Kind>{Kind::kHeader, Kind::kPart, Kind::kLastPart});
  CHECK(kinds("probe_query_large_form.in") == std::vector<Kind>{Kind::kHeader, Kind::kLastPart});
  CHECK(kinds("probe_trace_interleave.in")[0] == Kind::kTrace);
  CHECK(kinds("probe_duplicate_header.in") ==
        std::vector<Kind>{Kind::kHeader, Kind::kPart, Kind::kHeader, Kind::kPart,
                          Kind::kLastPart});
  CHECK(ParseClusterRequest(Body(Load("probe_digit_string_name.in")[0]))->address.name == "10");
  CHECK(ParseClusterRequest(Body(Load("probe_hex_string_name.in")[0]))->address.name ==
        ":0000000a");
  CHECK(ParseClusterRequest(Body(Load("probe_session_ffffffff.in")[0]))->session == 0xffffffff);
  CHECK(ParseClusterRequest(Body(Load("probe_push_large.in")[0]))->is_push);
  CHECK(ParseClusterRequest(Body(Load("probe_push_small_bad_name.in")[0]))->is_push);
}

TEST_CASE("three malformed probe frames are refused and the one behind them is read") {
  const Frames frames = Load("probe_bad_frames_then_good.in");

  REQUIRE(frames.size() == 4);
  CHECK(ParseClusterRequest(Body(frames[0])).status().message() ==
        "Invalid cluster request: unknown type 0x05");
  CHECK(ParseClusterRequest(Body(frames[1])).status().message() ==
        "Invalid cluster request of 8 bytes");
  CHECK(ParseClusterRequest(Body(frames[2])).status().message() ==
        "Invalid cluster request of 0 bytes");
  CHECK(SeriToText(ParseClusterRequest(Body(frames[3]))->payload).value() == "\"ECHO\", \"alive\"");
}

TEST_CASE("replies that made skynet's caller drop the connection are refused") {
  const auto last_error = [](const std::string& capture) {
    const Frames frames = Load(capture);
    std::string message;
    for (const std::string& frame : frames) {
      const auto reply = ParseClusterReply(Body(frame));
      if (!reply.ok()) message = std::string(reply.status().message());
    }
    return message;
  };

  CHECK(last_error("client_07_short_reply.s2c") == "Invalid cluster response of 3 bytes");
  CHECK(last_error("client_11_bad_reply_type.s2c") ==
        "Invalid cluster response: unknown type 9");
  CHECK(last_error("client_18_zero_length.s2c") == "Invalid cluster response of 0 bytes");
}

TEST_CASE("large replies to the client probes add up unless they should not") {
  for (const std::string capture :
       {"client_01_first_contact.s2c", "client_02_eight_in_one_segment.s2c",
        "client_03_reversed.s2c", "client_04_interleaved_multipart.s2c",
        "client_05_unknown_session.s2c", "client_06_size_mismatch.s2c",
        "client_08_after_reconnect.s2c", "client_12_error_after_parts.s2c", "client_14_back.s2c",
        "client_16_push_after_reconnect.s2c", "client_17_big_segment.s2c"}) {
    INFO(capture);
    std::map<uint32_t, int64_t> missing;
    bool adds_up = true;
    for (const std::string& frame : Load(capture)) {
      const ClusterReply reply = ParseClusterReply(Body(frame)).value();
      if (reply.kind == ClusterReplyKind::kBegin) missing[reply.session] = reply.total;
      if (reply.kind == ClusterReplyKind::kPart || reply.kind == ClusterReplyKind::kLastPart) {
        missing[reply.session] -= static_cast<int64_t>(reply.payload.size());
      }
      if (reply.kind == ClusterReplyKind::kLastPart) adds_up &= missing[reply.session] == 0;
    }
    CHECK(adds_up == (capture != "client_06_size_mismatch.s2c"));
  }
}

TEST_CASE("the splitter cuts captured streams into the captured frames, whatever the segments") {
  for (const std::string& capture : RequestCaptures()) {
    INFO(capture);
    const Frames frames = Load(capture);
    std::string stream;
    for (const std::string& frame : frames) stream += frame;
    for (const size_t step : {size_t{1}, size_t{7}, size_t{1448}, stream.size()}) {
      NetpackSplitter splitter;
      size_t next = 0;
      for (size_t at = 0; at < stream.size(); at += step) {
        splitter.Feed(absl::string_view(stream).substr(at, step), [&](absl::string_view frame) {
          REQUIRE(next < frames.size());
          CHECK(frame == Body(frames[next]));
          ++next;
        });
      }
      CHECK(next == frames.size());
    }
  }
}

}  // namespace skysim
