"""Finds out whether the Bazel that runs is Debian's own, which must do without downloads.

A released Bazel knows where its built-in repositories are published and fetches them. Debian's
build of Bazel names the same addresses, but a Debian machine has packages for most of them.
"""

# Repository name -> where Debian's package of it puts its files.
_DEBIAN_PACKAGES = {
    "bazel_features": "/usr/share/bazel/tools/features",
    "bazel_skylib": "/usr/share/bazel/tools/skylib",
    "platforms": "/usr/share/bazel/tools/platforms",
    "rules_cc": "/usr/share/bazel/rules/cc",
    "rules_java": "/usr/share/bazel/rules/java",
    "rules_license": "/usr/share/bazel/rules/license",
    "rules_proto": "/usr/share/bazel/rules/proto",
    "rules_python": "/usr/share/bazel/rules/python",
}

# Debian 12 ships a rules_cc (0.0.4) which asks Bazel for a symbol that Debian 12's Bazel (4.2.3)
# does not have yet. This file tells the two apart.
_TOOLCHAIN_UTILS = "/usr/share/bazel/embedded_tools/tools/cpp/toolchain_utils.bzl"
_SYMBOL_OF_RULES_CC = "use_cpp_toolchain"

def _packages_that_load(ctx):
    found = {
        name: path
        for name, path in _DEBIAN_PACKAGES.items()
        if ctx.path(path).exists
    }
    if "rules_cc" in found and _SYMBOL_OF_RULES_CC not in ctx.read(_TOOLCHAIN_UTILS):
        found.pop("rules_cc")
    return found

def _host_probe_impl(ctx):
    is_debian = native.bazel_version == ""  # a release says "7.7.1", Debian's build nothing
    packages = _packages_that_load(ctx) if is_debian else {}
    ctx.file("BUILD.bazel", "")
    ctx.file("host.bzl", "HOST = struct(is_debian = {}, packages = {})\n".format(is_debian, packages))

host_probe = repository_rule(
    doc = "Writes host.bzl with HOST: is_debian, and packages (repository name -> folder).",
    implementation = _host_probe_impl,
    configure = True,
    local = True,
)
