#include "simnet/check/properties.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace skysim {

absl::string_view ToString(ClaimKind claim) {
  switch (claim) {
    case ClaimKind::kGuarantee: return "guarantee";
    case ClaimKind::kAllowed: return "allowed";
    case ClaimKind::kLiveness: return "liveness";
    case ClaimKind::kUsual: return "usual";
  }
  return "unknown";
}

absl::string_view ToString(PropertyKind kind) {
  switch (kind) {
    case PropertyKind::kAlways: return "always";
    case PropertyKind::kSometimes: return "sometimes";
    case PropertyKind::kEventually: return "eventually";
    case PropertyKind::kReachable: return "reachable";
  }
  return "unknown";
}

absl::Status PropertyStore::Declare(PropertyKind kind, ClaimKind claim, const std::string& name) {
  auto [entry, is_new] = index_.try_emplace(name, results_.size());
  if (is_new) {
    PropertyResult result{};
    result.kind = kind;
    result.claim = claim;
    result.name = name;
    results_.push_back(std::move(result));
    return absl::OkStatus();
  }
  const PropertyResult& known = results_[entry->second];
  if (known.kind == kind && known.claim == claim) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "property \"", name, "\" is used as ", ToString(kind), " (", ToString(claim),
      ") and was used as ", ToString(known.kind), " (", ToString(known.claim), ") before"));
}

absl::Status PropertyStore::Judge(PropertyKind kind, ClaimKind claim, const std::string& name,
                                  bool is_true, absl::string_view detail, int64_t now_ns) {
  if (absl::Status status = Declare(kind, claim, name); !status.ok()) return status;
  size_t index = index_.find(name)->second;
  PropertyResult& result = results_[index];
  if (is_true) {
    ++result.passed;
    return absl::OkStatus();
  }
  if (++result.failed > 1) return absl::OkStatus();
  result.detail = std::string(detail);
  result.failed_ns = now_ns;
  bool fails_run = claim != ClaimKind::kUsual &&
                   (kind == PropertyKind::kAlways || kind == PropertyKind::kEventually);
  if (fails_run && first_failure_ == SIZE_MAX) first_failure_ = index;
  return absl::OkStatus();
}

const PropertyResult* PropertyStore::FirstFailure() const {
  return first_failure_ == SIZE_MAX ? nullptr : &results_[first_failure_];
}

std::string PropertyStore::Describe(const PropertyResult& failed) {
  int64_t us = failed.failed_ns / 1000;
  std::string text = absl::StrFormat("%s \"%s\" failed at %d.%06d s", ToString(failed.claim),
                                     failed.name, us / 1'000'000, us % 1'000'000);
  absl::string_view detail(failed.detail);
  detail = detail.substr(0, detail.find('\n'));
  if (!detail.empty()) absl::StrAppend(&text, ": ", detail);
  return text;
}

}  // namespace skysim
