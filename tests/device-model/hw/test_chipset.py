# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI, ACPI ports, CMOS: each script must hold on QEMU as on our device model."""


def test_identities(pc, images):
    for fn, ident, cls in ((0, 0x70008086, 0x0601), (1, 0x70108086, 0x0101), (3, 0x71138086, 0x0680)):
        assert pc.config_read(1, fn, 0) == ident
        assert pc.config_read(1, fn, 0x0a, 2) == cls
        assert pc.config_read(1, fn, 0x2c) == 0x11001af4
    assert pc.config_read(0, 0, 0) == 0x12378086
    assert pc.config_read(1, 0, 0x0e, 1) & 0x80
    assert pc.config_read(1, 3, 0x3d, 1) == 1


def test_absent_function(pc, images):
    assert pc.config_read(20, 0, 0) == 0xffffffff
    pc.config_write(20, 0, 4, 7, 2)


def test_byte_access(pc, images):
    assert pc.config_read(1, 0, 0, 2) == 0x8086
    assert pc.config_read(1, 0, 2, 2) == 0x7000
    assert pc.config_read(1, 0, 1, 1) == 0x80
    pc.config_write(1, 1, 0x3c, 0x5a, 1)
    assert pc.config_read(1, 1, 0x3c, 1) == 0x5a
    pc.out(0xcf8, 0, 4)
    assert pc.inp(0xcfc, 4) == 0xffffffff, "enable bit clear"


def test_bar_sizing(pc, images):
    pc.config_write(1, 1, 0x20, 0xffffffff)
    assert pc.config_read(1, 1, 0x20) == 0xfffffff1
    pc.config_write(1, 1, 0x20, 0xc041)
    assert pc.config_read(1, 1, 0x20) == 0xc041
    pc.config_write(1, 1, 0x04, 1, 2)
    pc.out(0xc044, 0x12345678, 4)
    assert pc.inp(0xc044, 4) == 0x12345678
    pc.config_write(1, 1, 0x20, 0xc080)
    assert pc.inp(0xc084, 4) == 0x12345678, "the window moved"
    pc.config_write(1, 1, 0x04, 0, 2)
    assert pc.inp(0xc084, 4) != 0x12345678, "I/O decode is off"


def test_read_only_bits(pc, images):
    pc.config_write(1, 1, 0x00, 0)
    assert pc.config_read(1, 1, 0x00) == 0x70108086
    pc.config_write(1, 1, 0x08, 0xffffffff)
    assert pc.config_read(1, 1, 0x0a, 2) == 0x0101


def test_pirq_routes(pc, images):
    for reg in range(0x60, 0x64):
        assert pc.config_read(1, 0, reg, 1) == 0x80
        pc.config_write(1, 0, reg, 0x0b, 1)
        assert pc.config_read(1, 0, reg, 1) == 0x0b


def test_acpi_enable(pc, images):
    pc.config_write(1, 3, 0x40, 0xb001)
    pc.config_write(1, 3, 0x80, 1, 1)
    assert pc.inp(0xb004, 2) & 1 == 0
    pc.out(0xb2, 0xf1)
    assert pc.inp(0xb004, 2) & 1 == 1
    assert pc.inp(0xb2) == 0xf1
    pc.out(0xb3, 0x77)
    assert pc.inp(0xb3) == 0x77
    pc.out(0xb004, 0x1400, 2)
    assert pc.inp(0xb004, 2) & 0x1c00 == 0x1400
    pc.out(0xb2, 0xf0)
    assert pc.inp(0xb004, 2) & 1 == 0


def test_gpe(pc, images):
    for port in (0xafe2, 0xafe3):
        pc.out(port, 0x5a)
        assert pc.inp(port) == 0x5a
    assert pc.inp(0xafe0) == 0


def test_cmos(pc, images):
    def cmos(index):
        pc.out(0x70, index)
        return pc.inp(0x71)
    assert cmos(0x15) | cmos(0x16) << 8 == 640
    assert cmos(0x34) | cmos(0x35) << 8 == (128 - 16) * 16
    assert cmos(0x17) | cmos(0x18) << 8 == 65535
    assert cmos(0x3d) == 0x23 and cmos(0x38) & 0xf0 == 0x10, "boot order dca"
    assert cmos(0x12) == 0xf0
    pc.out(0x70, 0x0f)
    pc.out(0x71, 0x0a)
    assert cmos(0x0f) == 0x0a


def test_fast_a20(pc, images):
    pc.out(0x92, 2)
    assert pc.inp(0x92) & 2
    pc.out(0x92, 0)
    assert not pc.inp(0x92) & 2


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
