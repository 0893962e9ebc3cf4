"""Every external repository of the project, each pinned to one version by its hash.

The exception is OpenSSL, which gets its security fixes from the machine's own packages.
"""

load("//tools/third_party/openssl:openssl.bzl", "system_openssl")

def _archive_folders(ctx):
    """Where tools/setup leaves archives: in the work tree, or in the cache that trees share."""
    env = ctx.os.environ
    folders = [str(ctx.path(Label("//:WORKSPACE")).dirname) + "/distdir"]
    if "SKYSIM_CACHE" in env:
        folders.append(env["SKYSIM_CACHE"] + "/distdir")
    elif "XDG_CACHE_HOME" in env:
        folders.append(env["XDG_CACHE_HOME"] + "/skysim/distdir")
    elif "HOME" in env:
        folders.append(env["HOME"] + "/.cache/skysim/distdir")
    return folders

def _find_archive(ctx):
    """The path of the Debian archive on this machine, or None."""
    if not ctx.attr.debian_archive:
        return None
    for folder in _archive_folders(ctx):
        archive = ctx.path(folder + "/" + ctx.attr.debian_archive)
        if archive.exists:
            return archive
    return None

def _run(ctx, arguments):
    """What a program prints; its failure is the repository's."""
    result = ctx.execute(arguments)
    if result.return_code != 0:
        fail("{} failed: {}".format(arguments[0], result.stderr))
    return result.stdout

def _unpack(ctx, archive, sha256):
    """Checks the hash and unpacks, with programs of Debian: its Bazel 4.2.3+ds-11 cannot untar."""
    found = _run(ctx, ["sha256sum", str(archive)]).split(" ")[0]
    if found != sha256:
        fail("{} has sha256 {}, not {}: remove it".format(archive, found, sha256))
    _run(ctx, ["tar", "--extract", "--strip-components=1", "--no-same-owner", "--file", str(archive)])

def _pinned_archive_impl(ctx):
    archive = _find_archive(ctx)
    if archive:
        _unpack(ctx, archive, ctx.attr.debian_sha256 or ctx.attr.sha256)
    else:
        ctx.download_and_extract(
            url = ctx.attr.url,
            sha256 = ctx.attr.sha256,
            stripPrefix = ctx.attr.strip_prefix,
        )
    for patch in ctx.attr.patches:
        ctx.patch(patch, strip = 1)
    if ctx.attr.build_file:
        ctx.delete("BUILD")
        ctx.delete("BUILD.bazel")
        ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

pinned_archive = repository_rule(
    doc = """Unpacks a release, from Debian's copy of it if that is here, else from its own address.

Debian packs some releases again: the same sources, but another hash and another top folder.""",
    implementation = _pinned_archive_impl,
    attrs = {
        "url": attr.string(mandatory = True, doc = "Where the authors publish the archive."),
        "sha256": attr.string(mandatory = True, doc = "Hash of the archive at url."),
        "strip_prefix": attr.string(doc = "Top folder inside the archive at url."),
        "debian_archive": attr.string(doc = "File name of Debian's archive of the same release."),
        "debian_sha256": attr.string(doc = "Its hash, where it is not the one at url."),
        "build_file": attr.label(allow_single_file = True, doc = "Replaces the archive's own."),
        "patches": attr.label_list(allow_files = True, doc = "Applied in turn, as patch -p1 does."),
    },
)

def _github(path):
    return "https://github.com/" + path

def _libraries():
    pinned_archive(
        name = "lua",
        build_file = "//tools/third_party/lua:lua.BUILD",
        url = "https://www.lua.org/ftp/lua-5.4.7.tar.gz",
        sha256 = "9fbf5e28ef86c69858f6d3d34eccc32e911c1a28b4120ff3e84aaa70cfbf1e30",
        strip_prefix = "lua-5.4.7",
        debian_archive = "lua5.4_5.4.7.orig.tar.gz",
        patches = [
            "//tools/third_party/lua:addresses.patch",
            "//tools/third_party/lua:orders.patch",
        ],
    )
    pinned_archive(
        name = "com_google_absl",
        url = _github("abseil/abseil-cpp/archive/refs/tags/20240722.0.tar.gz"),
        sha256 = "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
        strip_prefix = "abseil-cpp-20240722.0",
        debian_archive = "abseil_20240722.0.orig.tar.gz",
        debian_sha256 = "df6d1f5ef540725f3851201176a60486aab332410788465c9877910bb471c34a",
    )
    pinned_archive(
        name = "cli11",
        build_file = "//tools/third_party/cli11:cli11.BUILD",
        url = _github("CLIUtils/CLI11/archive/refs/tags/v2.4.1.tar.gz"),
        sha256 = "73b7ec52261ce8fe980a29df6b4ceb66243bb0b779451dbd3d014cfec9fdbb58",
        strip_prefix = "CLI11-2.4.1",
        debian_archive = "cli11_2.4.1+ds.orig.tar.xz",
        debian_sha256 = "0b8fbf2398875f15f30a675c7f412123a2aaa38df2863e991de72004fd5f1292",
    )
    pinned_archive(
        name = "zlib",
        build_file = "//tools/third_party/zlib:zlib.BUILD",
        url = _github("madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz"),
        sha256 = "9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23",
        strip_prefix = "zlib-1.3.1",
        debian_archive = "zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
        debian_sha256 = "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
    )
    pinned_archive(
        name = "nlohmann_json",
        build_file = "//tools/third_party/nlohmann_json:nlohmann_json.BUILD",
        url = _github("nlohmann/json/archive/refs/tags/v3.11.3.tar.gz"),
        sha256 = "0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406",
        strip_prefix = "json-3.11.3",
        debian_archive = "nlohmann-json3_3.11.3.orig.tar.gz",
    )
    pinned_archive(
        name = "catch2",
        build_file = "//tools/third_party/catch2:catch2.BUILD",
        url = _github("catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz"),
        sha256 = "c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c",
        strip_prefix = "Catch2-3.7.1",
        debian_archive = "catch2_3.7.1.orig.tar.gz",
    )
    system_openssl(
        name = "openssl",
        build_file = "//tools/third_party/openssl:openssl.BUILD",
    )

def _bazel_needs_on_debian(packages):
    """What Debian's Bazel would download even for a plain C++ test."""
    for name, path in packages.items():
        native.local_repository(name = name, path = path)
    if "rules_cc" not in packages:
        native.local_repository(
            name = "rules_cc",
            path = "tools/third_party/debian_bazel/rules_cc",
        )
    native.local_repository(
        name = "remote_coverage_tools",
        path = "tools/third_party/debian_bazel/coverage_tools",
    )

def _bazel_needs_elsewhere():
    """What Abseil loads and a released Bazel does not bring; the rest it finds by itself."""
    pinned_archive(
        name = "bazel_skylib",
        url = _github("bazelbuild/bazel-skylib/archive/refs/tags/1.5.0.tar.gz"),
        sha256 = "118e313990135890ee4cc8504e32929844f9578804a1b2f571d69b1dd080cfb8",
        strip_prefix = "bazel-skylib-1.5.0",
    )
    if native.bazel_version.startswith("4."):
        # Abseil names the CPU wasm32, which the copy inside Bazel 4 lacks.
        pinned_archive(
            name = "platforms",
            url = _github("bazelbuild/platforms/archive/refs/tags/0.0.6.tar.gz"),
            sha256 = "1626b708a06989c2365f3101c9c937153e03ee39faaaeab98a2c204e9d015a0d",
            strip_prefix = "platforms-0.0.6",
        )

def skysim_repositories(host):
    """Declares all repositories; called once, by WORKSPACE.

    Args:
      host: HOST, as host_probe wrote it.
    """
    _libraries()
    if host.is_debian:
        _bazel_needs_on_debian(host.packages)
    else:
        _bazel_needs_elsewhere()
