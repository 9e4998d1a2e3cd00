"""How people in each country write numbers: national and international prefixes by country code (ITU-T
E.123, E.164).

Owns the data alone. A country whose callers choose a carrier in the international prefix has its most
usual one here; a policy that needs another writes `national` and `international` itself. What a prefix
means is for `numbers`.
"""

from __future__ import annotations

import msgspec


class Country(msgspec.Struct, frozen=True, gc=False):
    """The prefixes of one country code.

    `national` is empty where there is none. `bare` is the least and most digits of a number that is
    dialled in full without a prefix, None where the prefix is needed.
    """

    national: str
    international: str
    bare: tuple[int, int] | None = None


_PREFIXED = """
0 00: 20 27 31 32 33 40 41 43 44 46 49 51 54 55 57 58 60 63 64 84 86 90 91 92 93 94 95 98 211 212 213 218
0 00: 231 232 233 243 249 250 251 252 260 261 262 263 264 265 291 353 355 358 359 370 373 374 377 380 381
0 00: 382 383 385 386 387 389 421 423 508 590 591 593 594 595 596 598 686 850 856 880 961 962 963 964 966
0 00: 967 970 971 972 977 994 995 996
0 000: 254 255 256
0 001: 62 66 82 855 976
0 0011: 61
0 002: 886
0 009: 234
0 010: 81
0 119: 53
06 00: 36
1 011: 692
8 810: 7 375 993
"""

_BARE = """
00: 30/10-12 34/9-9 39/6-12 45/8-8 47/5-8 48/9-9 52/10-10 56/9-11 216/8-8 220/7-9 221/9-9 222/8-8
00: 223/8-8 224/8-9 225/10-10 226/8-8 227/8-8 228/8-8 229/10-10 235/8-8 236/8-8 237/8-9 239/7-7 240/9-9
00: 241/7-8 242/9-9 244/9-9 245/7-9 246/7-7 247/5-6 248/7-7 253/8-8 257/8-8 258/8-9 266/8-8 267/7-10
00: 268/8-9 269/7-7 290/5-5 297/7-7 298/6-6 299/6-6 350/8-8 351/9-9 352/5-11 354/7-9 356/8-8 357/8-8
00: 371/8-8 372/7-10 376/6-9 378/8-10 420/9-12 500/5-5 501/7-11 502/8-11 503/7-11 504/8-11 505/8-8
00: 506/8-10 507/7-11 509/8-8 597/6-7 599/7-8 670/7-8 672/6-6 673/7-7 674/7-7 675/7-8 676/5-7 677/5-7
00: 678/5-7 679/7-11 681/6-9 682/5-5 683/5-7 687/6-6 688/5-7 689/6-9 690/5-7 691/7-7 853/7-8 960/7-10
00: 965/7-8 968/7-9 973/8-8 974/7-11 975/7-8 998/9-9
0: 238/7-7 685/5-10
001: 65/8-11 592/7-7 852/5-11
011: 680/7-7
020: 230/7-10
810: 992/9-9
"""


def _read() -> dict[str, Country]:
    countries = {"1": Country("1", "011", (10, 10))}
    for line in _PREFIXED.split("\n")[1:-1]:
        prefixes, _, codes = line.partition(": ")
        national, _, international = prefixes.partition(" ")
        countries |= {code: Country(national, international) for code in codes.split()}
    for line in _BARE.split("\n")[1:-1]:
        international, _, entries = line.partition(": ")
        for entry in entries.split():
            code, _, lengths = entry.partition("/")
            least, _, most = lengths.partition("-")
            countries[code] = Country("", international, (int(least), int(most)))
    return countries


COUNTRIES: dict[str, Country] = _read()
"""By country code, digits only."""
