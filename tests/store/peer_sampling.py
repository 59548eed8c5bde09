#!/usr/bin/env python3
"""peer_sampling.py SETTING.json: the order of samples, written anew from store/FORMATS.md ("order of samples"), slowly and with
Python's integers. Prints for each row of the steps a line: step, row, store, document, offset, count, epoch; as `tundish store find
--checkpoint` does. SETTING: seed, packing, window, steps, stores {name: {digest, lengths}}, phases [{step, length, rows, sources [{store,
weight, epochs}]}]."""
import fractions
import json
import sys

M32, M64 = 2**32 - 1, 2**64 - 1


def draw(seed, stream, index):
    """Philox4x32-10, as base/rng.h says it: key = seed, counter = (index, stream), low words first; the first two words."""
    c = [index & M32, index >> 32, stream & M32, stream >> 32]
    k0, k1 = seed & M32, seed >> 32
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k0, b & M32, (a >> 32) ^ c[3] ^ k1, a & M32]
        k0, k1 = k0 + 0x9E3779B9 & M32, k1 + 0xBB67AE85 & M32
    return c[1] << 32 | c[0]


def permute(seed, n, i):
    """Eight Feistel rounds over the bits of n - 1 (at least 2), walked until the result is below n."""
    if n == 1:
        return 0
    bits = max(2, (n - 1).bit_length())
    while True:
        right_bits = bits // 2
        left_bits = bits - right_bits
        left, right = i >> right_bits, i & (1 << right_bits) - 1
        for turn in range(8):
            left, right = right, left ^ draw(seed, 0x7065726D75746500 + turn, right) & (1 << left_bits) - 1
            left_bits, right_bits = right_bits, left_bits
        i = left << right_bits | right
        if i < n:
            return i


class Source:
    def __init__(self, name, digest, lengths, seed):
        self.name, self.lengths, self.n, self.seed = name, lengths, len(lengths), seed
        self.tokens = sum(lengths)
        self.D = int(digest[:16], 16)
        self.place = 0              # concat: tokens; best-fit: documents
        self.rest = []              # best-fit: (place, offset, count); concat: (token, count)
        self.order = {}

    def document(self, place):
        e, k = divmod(place, self.n)
        if e not in self.order:
            s = draw(self.seed, 7237112482205363828 ^ self.D, e)
            self.order[e] = [permute(s, self.n, i) for i in range(self.n)]
        return self.order[e][k]

    def length(self, place):
        return self.lengths[self.document(place)]

    def piece(self, place, offset, count):
        return (self.name, self.document(place), offset, count, place // self.n)


def whole(epochs, n):
    return None if epochs == 0 else int(fractions.Fraction(epochs) * n)


class Concat:
    """A source in a phase. The text: what was left, (first, count) of the stream, then the stream from the place on."""

    def __init__(self, source, T, _, epochs):
        self.s, self.T, self.read = source, T, 0
        self.left = sum(c for _, c in source.rest)
        cap = whole(epochs, source.tokens)
        self.limit = None if cap is None else max(0, (self.left + cap - source.place - 1) // T) if cap >= source.place else 0

    def token(self, at):
        """The token of the stream at a place of the text."""
        for first, count in self.s.rest:
            if at < count:
                return first + at
            at -= count
        return self.s.place + at

    def window(self, i):
        """The window that row i of the text is in."""
        begin, end, at, N, q = 0, self.left, i * self.T, self.s.tokens, self.s.place
        if at >= self.left:
            e = self.token(at) // N
            begin, end = self.left + max(0, e * N - q), self.left + (e + 1) * N - q
        if at + self.T > end:
            return i, i + 1
        begin = -(-begin // self.T)
        begin += (i - begin) // 65536 * 65536
        end = min(begin + 65536, end // self.T)
        return begin, end if self.limit is None else min(end, self.limit)

    def shuffled(self, i):
        begin, end = self.window(i)
        if end - begin == 1:
            return begin
        s = draw(self.s.seed, 8245940779099431201 ^ self.s.D, self.token(begin * self.T))
        return begin + permute(s, end - begin, i - begin)

    def row(self):
        s = self.s
        if self.limit is not None and self.read >= self.limit:
            return None
        first, out = self.shuffled(self.read) * self.T, []
        self.read += 1
        tokens = [self.token(first + t) for t in range(self.T)]
        for begin, count in runs_of(tokens):
            e, at = divmod(begin, s.tokens)
            place = e * s.n
            while count:
                n = s.length(place)
                if at < n:
                    take = min(count, n - at)
                    out.append(s.piece(place, at, take))
                    count -= take
                    at += take
                at -= n
                place += 1
        return out

    def leave(self):
        """What the next phase finds."""
        s, T, end = self.s, self.T, self.read
        rows = []
        if self.limit is None or self.read < self.limit:
            begin, until = self.window(self.read)
            if self.read > begin:
                rows, end = sorted(self.shuffled(i) for i in range(self.read, until)), until
        unread = [self.token(i * T + t) for i in rows for t in range(T)]
        unread += [self.token(at) for at in range(end * T, self.left)]
        s.rest, s.place = runs_of(unread), s.place + max(0, end * T - self.left)


def runs_of(tokens):
    """[5, 6, 7, 9] as [(5, 3), (9, 1)]"""
    out = []
    for t in tokens:
        if out and out[-1][0] + out[-1][1] == t:
            out[-1] = (out[-1][0], out[-1][1] + 1)
        else:
            out.append((t, 1))
    return out


def fit(pieces, T):
    """pieces: (place, offset, count) in the order of the sequence. Rows of pieces."""
    cut = [(p, o + d, min(T, c - d)) for p, o, c in pieces for d in range(0, c, T)]
    rows = []                       # [room, when it came to have it, pieces]
    for turn, piece in enumerate(sorted(cut, key=lambda x: -x[2])):
        fits = [r for r in rows if r[0] >= piece[2]]
        if fits:
            row = min(fits, key=lambda r: (r[0], -r[1]))
        else:
            row = [T, 0, []]
            rows.append(row)
        row[0], row[1] = row[0] - piece[2], turn + 1
        row[2].append(piece)
    return [r[2] for r in rows]


class BestFit:
    def __init__(self, source, T, window, epochs):
        self.s, self.T, self.window = source, T, window
        self.cap = whole(epochs, source.n)
        self.rows, self.at, self.begin, self.is_rest = [], 0, source.place, False
        if source.rest and (self.cap is None or source.place <= self.cap):
            self.pack(source.rest, source.place)
            self.is_rest = True
        self.started = bool(self.rows)
        self.next = source.place

    def pack(self, pieces, f):
        rows = fit(pieces, self.T)
        s = draw(self.s.seed, 8245940779099431201 ^ self.s.D, f)
        self.rows = [rows[permute(s, len(rows), j)] for j in range(len(rows))]
        self.at = 0

    def row(self):
        s = self.s
        while self.at == len(self.rows):
            if self.cap is not None and self.next >= self.cap:
                return None
            begin, end = self.next, min(self.next + self.window, (self.next // s.n + 1) * s.n)
            end = end if self.cap is None else min(end, self.cap)
            self.pack([(p, 0, s.length(p)) for p in range(begin, end)], begin)
            self.begin, self.next, self.is_rest = begin, end, False
        self.at += 1
        return [s.piece(*p) for p in self.rows[self.at - 1]]

    def leave(self):
        """What the next phase finds."""
        if not self.rows:
            return
        if self.at == 0 and not self.is_rest:
            self.s.place, self.s.rest = self.begin, []
            return
        rest = []
        for piece in sorted(p for r in self.rows[self.at:] for p in r):
            if rest and rest[-1][0] == piece[0] and rest[-1][1] + rest[-1][2] == piece[1]:
                rest[-1] = (piece[0], rest[-1][1], rest[-1][2] + piece[2])
            else:
                rest.append(piece)
        self.s.place, self.s.rest = self.next, rest


def whose(W, i, low, high):
    """The leaf that row i of the node [low, high) reaches."""
    if high - low == 1:
        return low
    m = low + (high - low) // 2
    a = (sum(W[low:m]) << 64) // sum(W[low:high])
    left = i * a >> 64
    return whose(W, left, low, m) if (i + 1) * a >> 64 > left else whose(W, i - left, m, high)


def phase_rows(phase, sources, setting):
    """The rows of a phase without end, or until no source is left."""
    kind = Concat if setting["packing"] == "concat" else BestFit
    largest = max(s["weight"] for s in phase["sources"])
    runs = [kind(sources[s["store"]], phase["length"], setting["window"], s["epochs"]) for s in phase["sources"]]
    W = [int(fractions.Fraction(s["weight"] / largest) * 2**54) for s in phase["sources"]]
    i = 0
    while runs:
        k = whose(W, i, 0, len(W))
        row = runs[k].row()
        if row is None:
            runs[k].leave()
            del runs[k], W[k]
            i = 0
            continue
        i += 1
        yield row, runs


def main():
    setting = json.load(open(sys.argv[1]))
    sources = {name: Source(name, s["digest"], s["lengths"], setting["seed"]) for name, s in setting["stores"].items()}
    phases, step = setting["phases"], 0
    for number, phase in enumerate(phases):
        end = phases[number + 1]["step"] if number + 1 < len(phases) else setting["steps"]
        rows, runs = phase_rows(phase, sources, setting), []
        for step in range(phase["step"], min(end, setting["steps"])):
            read = []
            for row, runs in rows:
                read.append(row)
                if len(read) == phase["rows"]:
                    break
            if len(read) < phase["rows"]:
                return                          # a step that is not whole
            for r, row in enumerate(read):
                for name, document, offset, count, epoch in row:
                    print(step + 1, r, name, document, offset, count, epoch, sep="\t")
        for run in runs:
            run.leave()


main()
