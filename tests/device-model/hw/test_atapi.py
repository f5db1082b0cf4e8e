# SPDX-License-Identifier: GPL-2.0-or-later
"""The CD-ROM drive: each script must hold on QEMU as on our device model."""
import struct

from ide import Drive, ABRT, BM_INTR, ERR

CD_SECTORS = 700


def drive(pc):
    return Drive(pc, 1, 0)


def test_identify(pc, images):
    words = drive(pc).identify(0xa1)
    assert words[0] & 0xdf03 == 0x8500, "a packet CD-ROM with 12-byte packets: 0x%04x" % words[0]
    assert words[49] & 0x0100


def test_identify_device_aborts(pc, images):
    d = drive(pc)
    d.command(0xec)
    assert d.wait_idle() & ERR and d.error() == ABRT
    assert d.signature()[2:] == (0x14, 0xeb)


def test_signature_after_reset(pc, images):
    d = drive(pc)
    d.reset()
    assert d.signature() == (1, 1, 0x14, 0xeb) and d.status() == 0


def test_device_reset(pc, images):
    d = drive(pc)
    d.command(0x08)
    d.wait_idle()
    seen = d.signature(), d.error()
    # ATA-6 8.10.5: the diagnostic code 01h; QEMU leaves 0.
    assert seen == ((1, 1, 0x14, 0xeb), 0 if pc.kind == "qemu" else 1), repr(seen)


def test_inquiry(pc, images):
    data, error, _ = drive(pc).packet_in([0x12, 0, 0, 0, 36])
    assert not error and len(data) == 36
    assert data[0] == 5 and data[1] & 0x80 and data[4] == 31


def test_inquiry_short(pc, images):
    # QEMU never ends a piece of odd length that is read by words.
    for n in (6, 8) if pc.kind == "qemu" else (5, 6, 7):
        data, error, _ = drive(pc).packet_in([0x12, 0, 0, 0, n])
        assert not error and len(data) == n


def test_capacity(pc, images):
    data, error, _ = drive(pc).packet_in([0x25])
    assert not error and struct.unpack(">II", data) == (CD_SECTORS - 1, 2048)


def test_read_pio(pc, images):
    d = drive(pc)
    for lba, count in ((0, 1), (16, 5), (CD_SECTORS - 1, 1), (100, 100)):
        data, error, _ = d.packet_in(struct.pack(">BBIBHB", 0x28, 0, lba, 0, count, 0))
        assert not error and data == images.cd[lba * 2048:(lba + count) * 2048], "lba %d" % lba
    data, error, _ = d.packet_in(struct.pack(">BBIIBB", 0xa8, 0, 3, 2, 0, 0))
    assert data == images.cd[3 * 2048:5 * 2048]


def test_read_limits(pc, images):
    d = drive(pc)
    for limit in (2048, 512, 2000, 1023, 4096, 0xffff):
        data, error, pieces = d.packet_in(struct.pack(">BBIBHB", 0x28, 0, 9, 0, 3, 0), limit)
        assert not error and data == images.cd[9 * 2048:12 * 2048], "limit %d" % limit
        assert all(n <= limit and n % 2 == 0 for n in pieces[:-1]), pieces


def test_zero_limit(pc, images):
    d = drive(pc)
    _, error, _ = d.packet_in(struct.pack(">BBIBHB", 0x28, 0, 9, 0, 1, 0), 0)
    assert error & ABRT


def test_read_dma(pc, images):
    d = drive(pc)
    regions = [(0x100000, 2048), (0x180000, 6144)]
    pc.out(d.bm, 0)
    pc.out(d.bm + 2, 6)
    d.prds(regions)
    pc.out(d.bm + 4, 0x10000, 4)
    d.packet(struct.pack(">BBIBHB", 0x28, 0, 20, 0, 4, 0), 0, 1)
    pc.out(d.bm, 9)
    pc.wait(lambda: pc.inp(d.bm + 2) & BM_INTR and not d.alt_status() & 0x88, "end of DMA")
    assert not d.status() & ERR
    data = pc.read(0x100000, 2048) + pc.read(0x180000, 6144)
    assert data == images.cd[20 * 2048:24 * 2048]
    assert pc.inp(d.bm + 2) & 7 == BM_INTR


def test_out_of_range(pc, images):
    d = drive(pc)
    _, error, _ = d.packet_in(struct.pack(">BBIBHB", 0x28, 0, CD_SECTORS, 0, 1, 0))
    assert error >> 4 == 5
    assert d.sense() == (5, 0x21)
    assert pc.kind == "qemu" or d.sense() == (0, 0), "REQUEST SENSE clears it (SPC-2 7.20)"


def test_unknown_packet(pc, images):
    d = drive(pc)
    _, error, _ = d.packet_in([0xd7])
    assert error >> 4 == 5 and d.sense() == (5, 0x20)


def test_toc(pc, images):
    d = drive(pc)
    data, error, _ = d.packet_in([0x43, 0, 0, 0, 0, 0, 0, 0, 64, 0])
    assert not error and len(data) == 20
    assert struct.unpack(">H", data[:2])[0] == 18 and data[2:4] == b"\1\1"
    assert data[6] == 1 and data[14] == 0xaa
    assert struct.unpack(">I", data[16:20])[0] == CD_SECTORS
    data, error, _ = d.packet_in([0x43, 2, 0, 0, 0, 0, 0xaa, 0, 64, 0])
    m, s, f = data[9:12]
    assert (m * 60 + s) * 75 + f == CD_SECTORS + 150
    data, error, _ = d.packet_in([0x43, 0, 1, 0, 0, 0, 0, 0, 12, 0])
    assert not error and len(data) == 12


def test_read_cd(pc, images):
    d = drive(pc)
    data, error, _ = d.packet_in([0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0x10])
    assert not error and data == images.cd[7 * 2048:8 * 2048]
    data, error, _ = d.packet_in([0xbe, 0, 0, 0, 0, 7, 0, 0, 2, 0xf8])
    assert not error and len(data) == 2 * 2352
    assert data[16:16 + 2048] == images.cd[7 * 2048:8 * 2048]
    assert data[2352 + 16:2352 + 16 + 2048] == images.cd[8 * 2048:9 * 2048]
    assert data[:16] == b"\0" + b"\xff" * 10 + b"\0" + bytes((0, 2, 7, 1))


def test_mode_sense(pc, images):
    d = drive(pc)
    data, error, _ = d.packet_in([0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128, 0])
    assert not error and data[8] == 0x2a and len(data) == struct.unpack(">H", data[:2])[0] + 2
    _, error, _ = d.packet_in([0x5a, 0, 0xea, 0, 0, 0, 0, 0, 128, 0])
    assert error >> 4 == 5


def test_event_status(pc, images):
    data, error, _ = drive(pc).packet_in([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0])
    assert not error and data[2] & 7 == 4 and data[5] & 3 == 2


def test_not_ready_after_eject(pc, images):
    d = drive(pc)
    assert d.packet_in([0x00])[1] == 0
    assert d.packet_in([0x1b, 0, 0, 0, 2])[1] == 0
    _, error, _ = d.packet_in([0x00])
    assert error >> 4 == 2
    assert d.sense()[0] == 2
    assert d.packet_in([0x1b, 0, 0, 0, 3])[1] == 0
    d.packet_in([0x00])
    assert d.packet_in([0x00])[1] == 0, "the medium is still in the tray"


def test_prevent(pc, images):
    d = drive(pc)
    assert d.packet_in([0x1e, 0, 0, 0, 1])[1] == 0
    _, error, _ = d.packet_in([0x1b, 0, 0, 0, 2])
    seen = error >> 4, d.sense()
    # SFF-8020i says not ready, MMC-3 illegal request; both "medium removal prevented".
    assert seen in ((5, (5, 0x53)), (2, (2, 0x53))), repr(seen)
    assert d.packet_in([0x00])[1] == 0
    assert d.packet_in([0x1e])[1] == 0


def event(d):
    """GET EVENT STATUS NOTIFICATION, class media: (event, disc present and tray open)."""
    data, error, _ = d.packet_in([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0])
    assert not error and len(data) == 8
    return data[4] & 15, data[5] & 3


def configuration(d, rt=0, start=0, size=512):
    data, error, _ = d.packet_in(struct.pack(">BBHBBBHB", 0x46, rt, start, 0, 0, 0, size, 0))
    assert not error
    length, profile = struct.unpack(">I2xH", data[:8])
    assert size < 512 or length == len(data) - 4
    features, at = {}, 8
    while at + 4 <= len(data):
        code, flags, n = struct.unpack(">HBB", data[at:at + 4])
        features[code] = flags, data[at + 4:at + 4 + n]
        at += 4 + n
    return profile, features


def test_own_eject(pc, images):
    """After the guest's own eject nothing reports a disc; loading the tray brings it back."""
    d = drive(pc)
    event(d)
    assert event(d) == (0, 2) and configuration(d)[0] == 0x08
    assert d.packet_in([0x1b, 0, 0, 0, 2])[1] == 0
    seen = event(d)
    assert seen == ((0 if pc.kind == "qemu" else 3), 1), "MMC-5 6.6: media removal, tray open: %s" % (seen,)
    assert event(d) == (0, 1)
    if pc.kind != "qemu":  # which looks at the image and not at the tray
        profile, features = configuration(d)
        assert profile == 0 and not any(features[0][1][2::4]) and not features[0x10][0] & 1
        data, _, _ = d.packet_in([0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128, 0])
        assert data[2] == 0x71, "SFF-8020i: door open"
        assert d.packet_in([0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8])[0][1] & 0x10
    assert d.packet_in([0x1b, 0, 0, 0, 3])[1] == 0
    assert pc.kind == "qemu" or (event(d), event(d)) == ((2, 2), (0, 2)), "new media, once"
    assert event(d) == (0, 2)
    assert configuration(d)[0] == 0x08
    d.packet_in([0])
    assert d.packet_in([0])[1] == 0


def test_configuration(pc, images):
    """MMC-5 6.5: RT chooses all features, the current ones or one, from the starting feature on."""
    d = drive(pc)
    profile, features = configuration(d)
    assert profile == 0x08
    if pc.kind == "qemu":  # it knows three features, gives them always, and miscounts the first
        return
    assert features[0][1] == bytes((0, 16, 0, 0, 0, 8, 1, 0)), "the profile list says which is current"
    assert list(features) == sorted(features)
    # What MMC-5 (5.4) wants of the profiles CD-ROM and DVD-ROM.
    assert set(features) == {0, 1, 2, 3, 0x10, 0x1e, 0x1f, 0x100, 0x105, 0x107}
    assert {c for c, (flags, _) in features.items() if flags & 1} == {0, 1, 2, 3, 0x10, 0x1e, 0x100, 0x105}
    assert set(configuration(d, 1)[1]) == {0, 1, 2, 3, 0x10, 0x1e, 0x100, 0x105}
    assert set(configuration(d, 0, 0x10)[1]) == {0x10, 0x1e, 0x1f, 0x100, 0x105, 0x107}
    assert set(configuration(d, 1, 3)[1]) == {3, 0x10, 0x1e, 0x100, 0x105}
    assert configuration(d, 2, 0x1f) == (0x08, {0x1f: (0, b"")})
    assert configuration(d, 2, 0x20) == (0x08, {})
    assert configuration(d, 0, 0x200) == (0x08, {})
    assert struct.unpack(">IHB", features[0x10][1][:7]) == (2048, 16, 1)
    assert d.packet_in([0x46, 3, 0, 0, 0, 0, 0, 0, 64, 0])[1] >> 4 == 5
    assert len(d.packet_in([0x46, 0, 0, 0, 0, 0, 0, 0, 10, 0])[0]) == 10


def test_dvd_structure_of_cd(pc, images):
    d = drive(pc)
    assert d.packet_in([0xad, 0, 0, 0, 0, 0, 0, 0, 8, 0])[1] >> 4 == 5 and d.sense() == (5, 0x30)
    if pc.kind == "qemu":
        return
    data, error, _ = d.packet_in([0xad, 0, 0, 0, 0, 0, 0, 0xff, 1, 0])
    assert not error and [data[i] for i in range(4, len(data), 4)] == [0, 1, 4, 0xff]


def ours(function):
    """What QEMU's drive does not have."""
    def run(pc, images):
        if pc.kind == "plinth":
            function(pc, images)
    run.__name__ = function.__name__
    return run


@ours
def test_mode_pages(pc, images):
    """Current, changeable and power-on values; all pages; MODE SELECT changes what may be changed."""
    d = drive(pc)

    def sense(page, control=0):
        data, error, _ = d.packet_in([0x5a, 0, control << 6 | page, 0, 0, 0, 0, 0, 255, 0])
        assert not error and struct.unpack(">H", data[:2])[0] == len(data) - 2
        return data[8:]

    def select(page, cdb1=0x10, head=bytes(8), limit=0xfffe):
        data = head + page
        return d.packet_out([0x55, cdb1, 0, 0, 0, 0, 0, 0, len(data), 0], data, limit)
    assert sense(1) == bytes((1, 6, 0, 5, 0, 0, 0, 0))
    assert sense(1, 1) == bytes((1, 6, 255, 255, 0, 0, 0, 0))
    assert sense(0x3f) == b"".join(sense(p) for p in (1, 0x0e, 0x1a, 0x1d, 0x2a))
    assert sense(0x2a, 1)[2:] == bytes(18)
    assert select(bytes((1, 6, 0, 9, 0, 0, 0, 0))) == 0
    assert sense(1)[3] == 9 and sense(1, 2)[3] == 5
    assert select(sense(0x0e)[:8] + bytes((1, 255, 2, 128, 0, 0, 0, 0)), limit=4) == 0
    assert sense(0x0e)[8:12] == bytes((1, 255, 2, 128))
    assert select(b"") == 0 and d.packet_out([0x55, 0x10, 0, 0, 0, 0, 0, 0, 0, 0], b"") == 0
    for page, what, asc in ((bytes((1, 6, 0, 9, 1, 0, 0, 0)), {}, 0x26), (bytes((2, 6)) + bytes(6), {}, 0x26),
                            (bytes((1, 5)) + bytes(5), {}, 0x26), (bytes((1, 6, 0)), {}, 0x1a),
                            (b"", {"head": bytes(5)}, 0x1a), (b"", {"head": bytes(7) + b"\10"}, 0x26),
                            (b"", {"cdb1": 0x11}, 0x24), (b"", {"cdb1": 0}, 0x24)):
        assert select(page, **what) >> 4 == 5 and d.sense() == (5, asc), (page, what)
    assert sense(1)[3] == 9, "what is refused changes nothing"
    d.reset()
    assert sense(1)[3] == 5


@ours
def test_mode_select_dma(pc, images):
    d = drive(pc)
    pc.out(d.bm, 0)
    pc.out(d.bm + 2, 6)
    pc.write(0x100000, bytes(8) + bytes((1, 6, 0, 7, 0, 0, 0, 0)))
    d.prds([(0x100000, 16)])
    pc.out(d.bm + 4, 0x10000, 4)
    d.packet([0x55, 0x10, 0, 0, 0, 0, 0, 0, 16, 0], 0, 1)
    pc.out(d.bm, 1)
    pc.wait(lambda: pc.inp(d.bm + 2) & BM_INTR and not d.alt_status() & 0x88, "end of DMA")
    assert not d.status() & ERR
    assert d.packet_in([0x5a, 0, 1, 0, 0, 0, 0, 0, 255, 0])[0][11] == 7


@ours
def test_mandatory(pc, images):
    """Commands of the features that the profiles have (MMC-5 5.3): all are known."""
    d = drive(pc)
    data, error, _ = d.packet_in([0xb9, 0, 0, 0, 2, 5, 0, 2, 7, 0x10])
    assert not error and data == images.cd[5 * 2048:7 * 2048]
    assert d.packet_in([0xb9, 0, 0, 0, 2, 5, 0, 2, 4, 0x10])[1] >> 4 == 5
    assert d.packet_in([0xb9, 0, 0, 0, 0, 5, 0, 2, 4, 0x10])[1] >> 4 == 5
    data, error, _ = d.packet_in([0xac, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 0])
    assert not error and struct.unpack(">I4xIIII", data)[::3] == (20, CD_SECTORS - 1)
    assert d.packet_in([0xac, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 3])[1] >> 4 == 5
    assert d.packet_in(struct.pack(">BBII", 0xa7, 0, 5, 9))[1] == 0
    assert d.packet_in(struct.pack(">BBII", 0xa7, 0, CD_SECTORS, 9))[1] >> 4 == 5
    assert d.packet_out([0xb6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28], bytes(28)) == 0


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
