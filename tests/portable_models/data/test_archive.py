"""Archives that are damaged, hostile or of another shape are refused in one line."""

import hashlib
import io
import pathlib
import struct
import zipfile

import numpy as np
import pytest

from portable_models.data import DataError, load_boston, load_imdb
from portable_models.data import archive as archive_module
from portable_models.data.archive import read_archive

from .conftest import ragged


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (pathlib.Path.touch, (self.path,))


def refused(call, message):
    with pytest.raises(DataError, match=message) as failure:
        call()
    assert "\n" not in str(failure.value)
    return str(failure.value)


def npy(header_shape, content):
    stream = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": header_shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


def zipped(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_pickled_reviews_of_an_unknown_file_name_the_option_that_trusts(save, reviews):
    path = save(reviews)
    message = refused(lambda: load_imdb(path), r"holds pickled arrays \(x_train, x_test\).*--trust")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in message


def test_pickled_reviews_are_read_when_trusted(save, reviews):
    assert len(load_imdb(save(reviews), trust=True).train) == 5


def test_pickled_reviews_are_read_when_the_hash_is_known(save, reviews, monkeypatch):
    path = save(reviews)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(archive_module, "KNOWN_ARCHIVES", {digest: "a file of this test"})
    assert "a file of this test" in load_imdb(path).description


def test_what_is_hashed_is_what_is_read(save, reviews, monkeypatch):
    """The file is swapped for another one as soon as it has been read once."""
    path, other = save(reviews), save({"x_train": ragged([666])}, "other.npz").read_bytes()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(archive_module, "KNOWN_ARCHIVES", {digest: "known"})
    read = pathlib.Path.read_bytes

    def read_and_swap(self):
        content = read(self)
        self.write_bytes(other)
        return content

    monkeypatch.setattr(pathlib.Path, "read_bytes", read_and_swap)
    assert read_archive(path, ("x_train",)).array("x_train")[0] == [1, 5, 2, 5]


@pytest.mark.parametrize("trust", [False, True])
def test_a_pickle_that_runs_code_never_runs_it(save, reviews, tmp_path, trust):
    mark = tmp_path / "ran"
    reviews["x_train"][0] = Touch(mark)
    path = save(reviews)
    message = r"asks for \S+\.\w+, which no array needs" if trust else "--trust"
    refused(lambda: load_imdb(path, trust=trust), message)
    assert not mark.exists()


@pytest.mark.parametrize(
    "rows",
    [
        [np.array([1, 2]), np.array([3])],
        [[np.int64(1), np.int64(2)], [3]],
        [np.array([1, 2], np.uint16), np.array([3], np.uint16)],
    ],
)
def test_reviews_may_be_pickled_as_numpy_arrays_or_numbers(save, reviews, rows):
    reviews["x_test"], reviews["y_test"] = np.empty(2, object), np.array([0, 1])
    reviews["x_test"][:] = rows
    sequences = load_imdb(save(reviews), trust=True).test_sequences
    assert sorted(map(list, sequences)) == [[1, 4, 5], [1, 6]]


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -30])
def test_a_truncated_archive_is_named_as_such(save, plain_reviews, keep):
    path = save(plain_reviews)
    path.write_bytes(path.read_bytes()[:keep])
    refused(lambda: load_imdb(path), "imdb.npz is not a whole .npz archive .* get the file again")


@pytest.mark.parametrize("trust", [False, True])
def test_flipped_bytes_are_found(save, reviews, trust):
    """Every 16th byte of the archive in turn: refused, or the same reviews as before."""
    path = save(reviews)
    whole, before = path.read_bytes(), load_imdb(path, trust=True).digest()
    refusals = 0
    for position in range(0, len(whole), 16):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert load_imdb(path, trust=trust).digest() == before
        except DataError as error:
            refusals += "\n" not in str(error)
    assert refusals > len(whole) // 32


def test_a_text_file_is_no_archive(tmp_path):
    path = tmp_path / "imdb.npz"
    path.write_text("not found")
    refused(lambda: load_imdb(path), "not a whole .npz archive .*not a zip file")


def test_missing_arrays_are_named_with_those_there_are(save, plain_reviews):
    path = save(plain_reviews)
    refused(
        lambda: load_boston(path), "lacks x, y; expected x, y, it holds x_test, x_train, y_test"
    )


def test_an_untrusted_archive_that_unpacks_too_large_is_refused(save, monkeypatch, plain_reviews):
    path = save(plain_reviews | {"x_train": np.ones((4, 5000), np.int64)})
    monkeypatch.setattr(archive_module, "UNTRUSTED_LIMIT", 100_000)
    assert path.stat().st_size < 100_000 < 4 * 5000 * 8
    refused(lambda: load_imdb(path), r"declares 160,\d{3} bytes, more than the 100,000 .*--trust")
    assert len(load_imdb(path, trust=True).train) == 4


def test_an_untrusted_file_that_is_too_large_is_not_even_read(save, monkeypatch, plain_reviews):
    path = save(plain_reviews)
    monkeypatch.setattr(archive_module, "UNTRUSTED_LIMIT", 100)
    monkeypatch.setattr(pathlib.Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    refused(lambda: load_imdb(path), "more than the 100 that are read")


def test_an_archive_that_declares_less_than_it_holds_is_not_unpacked_further(tmp_path):
    content = npy((100_000,), bytes(800_000))
    path = zipped(tmp_path / "boston_housing.npz", {"x.npy": content, "y.npy": npy((1,), bytes(8))})
    size, less = struct.pack("<L", len(content)), struct.pack("<L", 1000)
    path.write_bytes(path.read_bytes().replace(size, less))
    refused(lambda: load_boston(path), "not a whole .npz archive")


def test_a_header_that_declares_more_than_there_is_makes_no_such_array(tmp_path):
    content = npy((10**12,), bytes(80))
    path = zipped(tmp_path / "boston_housing.npz", {"x.npy": content, "y.npy": content})
    refused(lambda: load_boston(path), r"declares the shape \(1000000000000,\) but holds 80 bytes")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_without_a_bound_are_refused(tmp_path, compression):
    member = npy((1,), bytes(8))
    path = zipped(tmp_path / "b.npz", {"x.npy": member, "y.npy": member}, compression)
    refused(lambda: load_boston(path), "compressed otherwise than NumPy does")


def test_a_later_npy_format_is_refused(tmp_path):
    member = b"\x93NUMPY\x09\x00" + npy((1,), bytes(8))[8:]
    path = zipped(tmp_path / "b.npz", {"x.npy": member, "y.npy": member})
    refused(lambda: load_boston(path), "npy format 9.0 is not one of plain arrays")


def test_an_encrypted_member_is_refused(save, plain_reviews):
    path = save(plain_reviews)
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + flags] |= 1
            position = content.find(signature, position + 4)
    path.write_bytes(content)
    refused(lambda: load_imdb(path), "is encrypted")


def test_an_unreadable_file_is_a_data_error(save, plain_reviews, monkeypatch):
    path = save(plain_reviews)

    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "read_bytes", denied)
    refused(lambda: load_imdb(path), "imdb.npz cannot be read: Permission denied")


def test_arrays_in_fortran_order_keep_their_rows(save):
    x = np.asfortranarray(np.arange(39.0).reshape(3, 13))
    archive = read_archive(save({"x": x, "y": np.arange(3.0)}), ("x", "y"))
    np.testing.assert_array_equal(archive.array("x"), x)
