#include "engine/platform/transport.h"

#include "absl/strings/str_cat.h"

namespace skysim {

std::string Address::ToString() const { return absl::StrCat(host, ":", port); }

}  // namespace skysim
