# SPDX-License-Identifier: GPL-2.0-or-later
"""DES (FIPS 46-3) encryption of VNC's authentication challenge (RFC 6143, 7.2.2)."""

IP = [58 - 8 * (i % 8) + 2 * (i // 8) for i in range(32)] + \
     [57 - 8 * (i % 8) + 2 * (i // 8) for i in range(32)]
E = [(4 * (i // 6) + i % 6 - 1) % 32 + 1 for i in range(48)]
P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
     2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25]
PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
       60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37,
       29, 21, 13, 5, 28, 20, 12, 4]
PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
       41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
S = ["e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
     "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
     "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
     "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
     "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
     "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
     "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
     "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b"]


def permute(bits, table):
    return [bits[i - 1] for i in table]


def to_bits(data):
    return [b >> (7 - i) & 1 for b in data for i in range(8)]


def to_bytes(bits):
    return bytes(int("".join(map(str, bits[i:i + 8])), 2) for i in range(0, len(bits), 8))


def sbox(n, bits):
    row, column = bits[0] * 2 + bits[5], bits[1] * 8 + bits[2] * 4 + bits[3] * 2 + bits[4]
    v = int(S[n].split()[row][column], 16)
    return [v >> 3 & 1, v >> 2 & 1, v >> 1 & 1, v & 1]


def encrypt_block(key, block):
    k = permute(to_bits(key), PC1)
    c, d = k[:28], k[28:]
    bits = permute(to_bits(block), IP)
    left, right = bits[:32], bits[32:]
    for shift in SHIFTS:
        c, d = c[shift:] + c[:shift], d[shift:] + d[:shift]
        mixed = [a ^ b for a, b in zip(permute(right, E), permute(c + d, PC2))]
        out = sum((sbox(i, mixed[6 * i:6 * i + 6]) for i in range(8)), [])
        left, right = right, [a ^ b for a, b in zip(left, permute(out, P))]
    final = [0] * 64
    for i, source in enumerate(IP):
        final[source - 1] = (right + left)[i]
    return to_bytes(final)


def vnc_response(password, challenge):
    """The key is the password's first 8 bytes, each with its bits reversed."""
    key = password.encode()[:8].ljust(8, b"\0")
    key = bytes(int("{:08b}".format(b)[::-1], 2) for b in key)
    return encrypt_block(key, challenge[:8]) + encrypt_block(key, challenge[8:])
