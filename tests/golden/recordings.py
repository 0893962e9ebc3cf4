"""The recordings of this folder (README.md), and ways to cut a byte stream into the chunks that a peer reads."""
import os
import socket
import struct
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))


def files(folder):
    """The names of all recorded streams, without ".hex"."""
    return {name[:-len(".hex")] for name in os.listdir(folder) if name.endswith(".hex")}


def read(folder, name):
    """The frames of a stream, each with its length bytes; none if nothing was sent."""
    path = os.path.join(folder, name + ".hex")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [bytes.fromhex(line) for line in file if line.strip()]


def read_frame(connection):
    """The next frame with its length bytes, b"" at the end of the stream. A frame cut off raises."""
    size = _read_exactly(connection, 2, may_end=True)
    if not size:
        return b""
    return size + _read_exactly(connection, int.from_bytes(size, "big"))


def _read_exactly(connection, count, may_end=False):
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        if not chunk:
            if may_end and not data:
                return b""
            raise AssertionError(f"the stream ended after {data[:64].hex()}, {count - len(data)} bytes are missing")
        data += chunk
    return data


# -- Chunks ------------------------------------------------------------------------------------------


def _unread(local, remote):
    """Bytes that the socket `local` (host, port), connected to `remote`, has to read. None: there is no such socket.
    Asks the kernel, as ss does (sock_diag(7)); /proc/net/tcp knows it too, but takes milliseconds."""
    end = struct.pack("!HH4s12x4s12x", local[1], remote[1], socket.inet_aton(local[0]), socket.inet_aton(remote[0]))
    request = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + end
    request += struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any device, no cookie
    by_family, is_request, sock_diag = 20, 1, 4
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, sock_diag) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(request), by_family, is_request, 0, 0) + request)
        answer = kernel.recv(4096)
    (kind,) = struct.unpack_from("=4xH", answer)
    return struct.unpack_from("=I", answer, 16 + 56)[0] if kind == by_family else None


def _wait_until_read(connection, peer_name, patience):
    """Returns when the peer, a socket of this machine, has read all that we wrote, or has closed."""
    begin = time.monotonic()
    while time.monotonic() - begin < patience:
        if not _unread(peer_name, connection.getsockname()):
            return
    raise AssertionError("the peer reads no more")


def _whole(frames):
    return [b"".join(frames)]


def _frame_by_frame(frames):
    return frames


# Frames longer than 256 bytes are cut into single bytes only at both ends (all that is not payload is there), and
# between into pieces of 61 bytes: single bytes would take the kernel minutes, and every state is met anyway.
_WHOLLY_CUT_MAX, _ENDS, _PIECE = 256, 40, 61


def _byte_by_byte(frames):
    for frame in frames:
        cut = len(frame) if len(frame) <= _WHOLLY_CUT_MAX else _ENDS
        yield from (frame[at:at + 1] for at in range(cut))
        tail = max(cut, len(frame) - _ENDS)
        yield from (frame[at:min(at + _PIECE, tail)] for at in range(cut, tail, _PIECE))
        yield from (frame[at:at + 1] for at in range(tail, len(frame)))


CHUNKS = {"one chunk": _whole, "frame by frame": _frame_by_frame, "byte by byte": _byte_by_byte}


def write(connection, frames, chunks, patience):
    """Writes the frames, cut as `chunks` says (a key of CHUNKS). A peer that has closed takes the rest."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        peer_name = connection.getpeername()
        for piece in CHUNKS[chunks](frames):
            connection.sendall(piece)
            if chunks == "frame by frame" or len(piece) == 1:  # the kernel must not join them
                _wait_until_read(connection, peer_name, patience)
    except (BrokenPipeError, ConnectionResetError):
        pass
    except OSError as error:  # getpeername of a connection that was reset
        if connection.fileno() < 0 or error.errno != 107:
            raise
