"""The machine's own OpenSSL: only libcrypto, for the Lua modules skynet.crypt and md5."""

_PROGRAM = """
#include <openssl/bn.h>
#include <openssl/des.h>
#include <openssl/md5.h>
int main(void) { BN_free(BN_new()); return 0; }
"""

_MISSING = """
skysim needs OpenSSL's libcrypto (1.1 or 3) and its headers, and the C compiler does not find them.
Install them and build again:
  Debian, Ubuntu: apt-get install libssl-dev
  Fedora:         dnf install openssl-devel
The compiler said:
"""

def _system_openssl_impl(ctx):
    compiler = ctx.os.environ.get("CC", "cc")
    ctx.file("probe.c", _PROGRAM)
    result = ctx.execute([compiler, "probe.c", "-lcrypto", "-o", "probe"])
    if result.return_code != 0:
        fail(_MISSING + result.stderr)
    ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

system_openssl = repository_rule(
    doc = "A cc_library `crypto` that links the machine's libcrypto, or an error: what to install.",
    implementation = _system_openssl_impl,
    attrs = {"build_file": attr.label(allow_single_file = True, mandatory = True)},
    environ = ["CC"],
    local = True,
)
