// The seri format (skynet.pack): values one after the other, each led by a byte of kind | cookie <<
// 3.
//
// Here are the bytes only: Put... functions write one value, SeriReader takes a stream apart token
// by token, and ValidateSeri and SeriToText look at whole streams. Lua values come and go in
// engine/lua/seri_lua.h. Integers are little-endian on every machine. Any thread. Nothing here
// allocates from a size that the bytes claim.
#ifndef ENGINE_WIRE_SERI_H_
#define ENGINE_WIRE_SERI_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/wire/byte_order.h"
#include "engine/wire/seri_buffer.h"

namespace skysim {

// The low three bits of a lead byte. 7 is invalid.
enum class SeriKind : uint8_t {
  kNil = 0,
  kBoolean = 1,      // cookie 0 or 1
  kNumber = 2,       // cookie: kSeriZero ... kSeriDouble
  kPointer = 3,      // light userdata, 8 bytes: means something in one process only
  kShortString = 4,  // cookie: length, 0 to 31
  kLongString = 5,   // cookie: width of the length that follows, 2 or 4
  kTable = 6,        // cookie: array size, or kSeriArraySizeFollows
};

// Cookies of kNumber: the width of the integer that follows, and 6 and 8 for eight bytes.
constexpr unsigned kSeriZero = 0;
constexpr unsigned kSeriUint8 = 1;
constexpr unsigned kSeriUint16 = 2;
constexpr unsigned kSeriInt32 = 4;
constexpr unsigned kSeriInt64 = 6;
constexpr unsigned kSeriDouble = 8;

// Strings below this length keep it in the cookie.
constexpr size_t kSeriShortStringEnd = 32;
// This cookie of a table says that its array size follows as an integer value.
constexpr unsigned kSeriArraySizeFollows = 31;
// skynet keeps sizes in a C int.
constexpr size_t kSeriBytesMax = 0x7fffffff;

constexpr unsigned char SeriLead(SeriKind kind, unsigned cookie) {
  return static_cast<unsigned char>(static_cast<unsigned>(kind) | (cookie << 3));
}

// ---- Writing ----

inline void PutSeriNil(SeriBuffer& out) { out.AppendByte(SeriLead(SeriKind::kNil, 0)); }

inline void PutSeriBoolean(bool value, SeriBuffer& out) {
  out.AppendByte(SeriLead(SeriKind::kBoolean, value ? 1 : 0));
}

// The smallest form that holds `value`: 0, uint8, uint16, int32, int64.
inline void PutSeriInteger(int64_t value, SeriBuffer& out);

inline void PutSeriDouble(double value, SeriBuffer& out);

inline void PutSeriPointer(const void* value, SeriBuffer& out);

// `value` has at most kSeriBytesMax bytes.
inline void PutSeriString(absl::string_view value, SeriBuffer& out);

// Begins a table. `array_size` values follow, then keys and values, then PutSeriTableEnd.
inline void PutSeriTable(size_t array_size, SeriBuffer& out);

// A nil in place of a key.
inline void PutSeriTableEnd(SeriBuffer& out) { PutSeriNil(out); }

// ---- Reading ----

// One value, or the beginning of a table.
struct SeriToken {
  // In this order: what is no value, nil, other scalars, tables.
  enum class Type : uint8_t {
    kEnd,        // no bytes left
    kMalformed,  // the bytes left are no value; the reader stays where it is
    kNil,
    kBoolean,
    kInteger,
    kDouble,
    kPointer,
    kString,
    kTable,
  };

  Type type = Type::kEnd;
  union {
    bool boolean;
    int64_t integer;
    double number;
    uint64_t pointer;     // the address as the bytes have it
    uint64_t array_size;  // as announced: believe it only as far as values arrive
  };
  absl::string_view string;  // kString: points into the stream

  SeriToken() : integer(0) {}
  explicit SeriToken(Type t) : type(t), integer(0) {}
};

// Reads a stream from its front; the bytes must outlive the reader and its tokens. It does not know
// where tables end: whoever reads counts their values.
class SeriReader final {
 public:
  explicit SeriReader(absl::string_view bytes) : at_(bytes.data()), left_(bytes.size()) {}

  // Takes the next token off the stream.
  inline SeriToken Next();

  // Bytes not yet taken.
  size_t left() const { return left_; }

 private:
  // Bytes after the lead byte that a number with this cookie has; 99 for cookies that do not exist.
  static size_t NumberBytes(unsigned cookie) {
    switch (cookie) {
      case kSeriZero: return 0;
      case kSeriUint8: return 1;
      case kSeriUint16: return 2;
      case kSeriInt32: return 4;
      case kSeriInt64:
      case kSeriDouble: return 8;
      default: return 99;
    }
  }

  inline SeriToken Number(unsigned cookie);
  inline SeriToken LongString(unsigned cookie);
  inline SeriToken Table(unsigned cookie);
  inline SeriToken Counted(size_t head, size_t length);

  void Take(size_t count) {
    at_ += count;
    left_ -= count;
  }

  const char* at_;
  size_t left_;
};

// What a checker of foreign bytes accepts.
struct SeriLimits {
  int depth_max = 32;  // tables around one value; skynet's packers stop at 32
  size_t bytes_max = kSeriBytesMax;
  // An address from another process is never right, and following it is a hole. So: refused.
  bool are_pointers_allowed = false;
};

// Whether `bytes` is a whole stream within `limits`. InvalidArgument says what is wrong and at
// which byte. Linear in time; constant in memory except for depth_max small counters.
absl::Status ValidateSeri(absl::string_view bytes, const SeriLimits& limits = SeriLimits());

// The values as a reader of a trace wants them: `"ECHO", {1, 2, name = "x", [true] = 1.5}, nil`.
// Text bytes that do not print are escaped as in C. The text ends in `...` after about `text_max`
// bytes. Errors as ValidateSeri.
absl::StatusOr<std::string> SeriToText(absl::string_view bytes, size_t text_max = 4096,
                                       const SeriLimits& limits = SeriLimits());

// ---- Definitions ----

inline void PutSeriInteger(int64_t value, SeriBuffer& out) {
  if (value == 0) {
    out.AppendByte(SeriLead(SeriKind::kNumber, kSeriZero));
  } else if (value != static_cast<int32_t>(value)) {
    char* at = out.Extend(9);
    at[0] = static_cast<char>(SeriLead(SeriKind::kNumber, kSeriInt64));
    PutLittleEndian(static_cast<uint64_t>(value), at + 1);
  } else if (value < 0 || value > 0xffff) {
    char* at = out.Extend(5);
    at[0] = static_cast<char>(SeriLead(SeriKind::kNumber, kSeriInt32));
    PutLittleEndian(static_cast<uint32_t>(value), at + 1);
  } else if (value > 0xff) {
    char* at = out.Extend(3);
    at[0] = static_cast<char>(SeriLead(SeriKind::kNumber, kSeriUint16));
    PutLittleEndian(static_cast<uint16_t>(value), at + 1);
  } else {
    char* at = out.Extend(2);
    at[0] = static_cast<char>(SeriLead(SeriKind::kNumber, kSeriUint8));
    at[1] = static_cast<char>(value);
  }
}

inline void PutSeriDouble(double value, SeriBuffer& out) {
  uint64_t bits;
  static_assert(sizeof(bits) == sizeof(value), "seri has IEEE doubles");
  std::memcpy(&bits, &value, sizeof(bits));
  char* at = out.Extend(9);
  at[0] = static_cast<char>(SeriLead(SeriKind::kNumber, kSeriDouble));
  PutLittleEndian(bits, at + 1);
}

inline void PutSeriPointer(const void* value, SeriBuffer& out) {
  char* at = out.Extend(9);
  at[0] = static_cast<char>(SeriLead(SeriKind::kPointer, 0));
  PutLittleEndian(static_cast<uint64_t>(reinterpret_cast<uintptr_t>(value)), at + 1);
}

inline void PutSeriString(absl::string_view value, SeriBuffer& out) {
  const size_t length = value.size();
  char* at;
  if (length < kSeriShortStringEnd) {
    at = out.Extend(1 + length);
    *at++ = static_cast<char>(SeriLead(SeriKind::kShortString, static_cast<unsigned>(length)));
  } else if (length <= 0xffff) {
    at = out.Extend(3 + length);
    *at++ = static_cast<char>(SeriLead(SeriKind::kLongString, 2));
    PutLittleEndian(static_cast<uint16_t>(length), at);
    at += 2;
  } else {
    at = out.Extend(5 + length);
    *at++ = static_cast<char>(SeriLead(SeriKind::kLongString, 4));
    PutLittleEndian(static_cast<uint32_t>(length), at);
    at += 4;
  }
  if (length != 0) std::memcpy(at, value.data(), length);
}

inline void PutSeriTable(size_t array_size, SeriBuffer& out) {
  if (array_size < kSeriArraySizeFollows) {
    out.AppendByte(SeriLead(SeriKind::kTable, static_cast<unsigned>(array_size)));
  } else {
    out.AppendByte(SeriLead(SeriKind::kTable, kSeriArraySizeFollows));
    PutSeriInteger(static_cast<int64_t>(array_size), out);
  }
}

inline SeriToken SeriReader::Next() {
  if (left_ == 0) return SeriToken(SeriToken::Type::kEnd);
  const unsigned lead = static_cast<unsigned char>(*at_);
  const unsigned cookie = lead >> 3;
  switch (static_cast<SeriKind>(lead & 7)) {
    case SeriKind::kNil:
      Take(1);
      return SeriToken(SeriToken::Type::kNil);
    case SeriKind::kBoolean: {
      SeriToken token(SeriToken::Type::kBoolean);
      token.boolean = cookie != 0;
      Take(1);
      return token;
    }
    case SeriKind::kNumber:
      return Number(cookie);
    case SeriKind::kPointer: {
      if (left_ < 9) break;
      SeriToken token(SeriToken::Type::kPointer);
      token.pointer = GetLittleEndian<uint64_t>(at_ + 1);
      Take(9);
      return token;
    }
    case SeriKind::kShortString:
      return Counted(1, cookie);
    case SeriKind::kLongString:
      return LongString(cookie);
    case SeriKind::kTable:
      return Table(cookie);
  }
  return SeriToken(SeriToken::Type::kMalformed);
}

inline SeriToken SeriReader::Number(unsigned cookie) {
  const size_t bytes = NumberBytes(cookie);
  if (left_ - 1 < bytes) return SeriToken(SeriToken::Type::kMalformed);
  const char* const at = at_ + 1;
  SeriToken token(SeriToken::Type::kInteger);
  switch (cookie) {
    case kSeriUint8:
      token.integer = static_cast<unsigned char>(*at);
      break;
    case kSeriUint16:
      token.integer = GetLittleEndian<uint16_t>(at);
      break;
    case kSeriInt32:
      token.integer = static_cast<int32_t>(GetLittleEndian<uint32_t>(at));
      break;
    case kSeriInt64:
      token.integer = static_cast<int64_t>(GetLittleEndian<uint64_t>(at));
      break;
    case kSeriDouble: {
      const uint64_t bits = GetLittleEndian<uint64_t>(at);
      token.type = SeriToken::Type::kDouble;
      std::memcpy(&token.number, &bits, sizeof(bits));
      break;
    }
    case kSeriZero:
      break;
    default:  // a cookie that does not exist, and enough bytes behind it
      return SeriToken(SeriToken::Type::kMalformed);
  }
  Take(1 + bytes);
  return token;
}

inline SeriToken SeriReader::LongString(unsigned cookie) {
  if ((cookie != 2 && cookie != 4) || left_ < 1 + cookie) {
    return SeriToken(SeriToken::Type::kMalformed);
  }
  return Counted(1 + cookie, cookie == 2 ? GetLittleEndian<uint16_t>(at_ + 1)
                                         : GetLittleEndian<uint32_t>(at_ + 1));
}

// A string of `length` bytes behind `head` bytes that are there.
inline SeriToken SeriReader::Counted(size_t head, size_t length) {
  if (left_ - head < length) return SeriToken(SeriToken::Type::kMalformed);
  SeriToken token(SeriToken::Type::kString);
  token.string = absl::string_view(at_ + head, length);
  Take(head + length);
  return token;
}

inline SeriToken SeriReader::Table(unsigned cookie) {
  SeriToken token(SeriToken::Type::kTable);
  token.array_size = cookie;
  if (cookie != kSeriArraySizeFollows) {
    Take(1);
    return token;
  }
  const SeriReader before = *this;
  Take(1);
  const unsigned lead = left_ == 0 ? 0 : static_cast<unsigned char>(*at_);
  SeriToken size(SeriToken::Type::kMalformed);
  if (static_cast<SeriKind>(lead & 7) == SeriKind::kNumber) size = Number(lead >> 3);
  if (size.type != SeriToken::Type::kInteger || size.integer < 0) {
    *this = before;
    return SeriToken(SeriToken::Type::kMalformed);
  }
  token.array_size = static_cast<uint64_t>(size.integer);
  return token;
}

}  // namespace skysim

#endif  // ENGINE_WIRE_SERI_H_
