use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::fixtures::{self, ModelControl};

fn image(serial: u64) -> Image {
    let mut control = ModelControl::new();
    control.serial = Serial(serial - 1);
    control.publish(|mesh| fixtures::add(mesh, "weather", 100));
    let message = control.burst().into_iter().flat_map(|response| response.resources);
    let message = DeltaDiscoveryResponse { resources: message.collect(), ..DeltaDiscoveryResponse::default() };
    Image { epoch: control.epoch, serial: Serial(serial), digest: control.manifest().digest, message }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.bin");
    (folder, path)
}

#[test]
fn an_image_comes_back_as_it_was() {
    let (_folder, path) = folder();
    assert_eq!(write(&path, &image(5)).unwrap(), Written::Replaced);
    assert_eq!(read(&path).unwrap(), Some(image(5)));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_cut_at_any_length_is_refused() {
    let bytes = image(5).to_bytes();
    for length in 0..bytes.len() {
        assert!(Image::from_bytes(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn a_file_with_any_byte_changed_is_refused() {
    let bytes = image(5).to_bytes();
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            assert!(Image::from_bytes(&bytes).is_err(), "byte {at} changed by {change:#x}");
        }
    }
    assert!(Image::from_bytes(&[bytes, vec![0]].concat()).is_err(), "a byte too many");
}

#[test]
fn what_is_not_our_file_says_so() {
    let (_folder, path) = folder();
    assert_eq!(read(&path).unwrap(), None);
    fs::write(&path, "apiVersion: v1\n").unwrap();
    assert_eq!(read(&path).unwrap_err().to_string(), "there is no snapshot in it: it is not a snapshot file");
    let mut later = image(5).to_bytes();
    later[11] = 2;
    assert_eq!(Image::from_bytes(&later), Err(Broken::Format(2)));
    assert!(matches!(read(path.parent().unwrap()), Err(FileError::Io { .. })), "a folder is not a file");
}

#[test]
fn the_file_before_the_last_one_is_kept() {
    let (_folder, path) = folder();
    write(&path, &image(5)).unwrap();
    write(&path, &image(6)).unwrap();
    assert_eq!(read(&path).unwrap().unwrap().serial, Serial(6));
    assert_eq!(read(&previous(&path)).unwrap().unwrap().serial, Serial(5));
    assert_eq!(previous(&path).file_name().unwrap(), "snapshot.prev.bin");
}

#[test]
fn a_broken_file_never_takes_the_place_of_a_good_previous_one() {
    let (_folder, path) = folder();
    write(&path, &image(5)).unwrap();
    write(&path, &image(6)).unwrap();
    fs::write(&path, b"OUTRIGGR").unwrap();
    write(&path, &image(7)).unwrap();
    assert_eq!(read(&path).unwrap().unwrap().serial, Serial(7));
    assert_eq!(read(&previous(&path)).unwrap().unwrap().serial, Serial(5));
}

#[test]
fn an_older_image_of_the_same_epoch_never_replaces_a_newer_file() {
    let (_folder, path) = folder();
    write(&path, &image(6)).unwrap();
    assert_eq!(write(&path, &image(5)).unwrap(), Written::Kept);
    assert_eq!(read(&path).unwrap().unwrap().serial, Serial(6));
    let mut of_another_view = image(5);
    of_another_view.message.system_version_info = "clock=clock".into();
    assert_eq!(write(&path, &of_another_view).unwrap(), Written::Replaced);
    write(&path, &Image { epoch: Epoch(9), ..image(6) }).unwrap();
    assert_eq!(write(&path, &image(2)).unwrap(), Written::Replaced);
}

#[test]
fn what_a_crash_left_behind_is_no_obstacle() {
    let (_folder, path) = folder();
    fs::write(path.with_extension("new.bin"), "half").unwrap();
    write(&path, &image(5)).unwrap();
    assert_eq!(read(&path).unwrap(), Some(image(5)));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let (folder, _) = folder();
    let bad = write(&folder.path().join("none/snapshot.bin"), &image(5)).unwrap_err();
    assert!(bad.to_string().ends_with("none/snapshot.bin cannot be created"), "{bad}");
}

/// What a disk, a crash or a person may do to a file.
fn corrupt(bytes: &mut Vec<u8>, older: &[u8], chance: &mut fastrand::Rng) -> &'static str {
    let len = bytes.len();
    match chance.u8(..7) {
        0 => {
            for _ in 0..chance.usize(1..=8) {
                bytes[chance.usize(..len)] ^= 1 << chance.u8(..8);
            }
            "bits flipped"
        }
        1 => {
            bytes.truncate(chance.usize(..len));
            "cut off"
        }
        2 => {
            let (from, to) = (chance.usize(..len / 2), chance.usize(len / 2..len));
            let length = chance.usize(1..=(len - to).min(to - from));
            for at in 0..length {
                bytes.swap(from + at, to + at);
            }
            "parts swapped"
        }
        3 => {
            let from = chance.usize(..len);
            let to = (from + 4_096).min(len);
            bytes[from..to].fill(0);
            "a page of zeros"
        }
        4 => {
            let at = chance.usize(..len);
            bytes.splice(at.., older.iter().copied().skip(at));
            "the end of an older file"
        }
        5 => {
            let at = chance.usize(..=len);
            let more = (0..chance.usize(1..100)).map(|_| chance.u8(..));
            bytes.splice(at..at, more);
            "bytes put in"
        }
        _ => {
            *bytes = older.to_vec();
            "an older file in its place"
        }
    }
}

/// A start takes the file, else the one before it, else nothing; never anything that was not written as a whole.
#[test]
fn a_thousand_damaged_files_are_never_taken_for_something_else_and_the_next_write_mends_them() {
    let (_folder, path) = folder();
    let written = [4, 5, 6, 7].map(image);
    let [older, before, newest, next] = &written;
    let [older, before, newest] = [older, before, newest].map(Image::to_bytes);
    let mut served = std::collections::BTreeMap::<Option<u64>, u32>::new();
    for seed in 0..1_000 {
        let mut chance = fastrand::Rng::with_seed(seed);
        // As two writes leave them.
        fs::write(previous(&path), &before).unwrap();
        fs::write(&path, &newest).unwrap();
        let mut what = vec![];
        for (file, is_hit) in [(path.clone(), true), (previous(&path), chance.u8(..4) == 0)] {
            if is_hit {
                let mut bytes = fs::read(&file).unwrap();
                what.push(corrupt(&mut bytes, &older, &mut chance));
                fs::write(&file, bytes).unwrap();
            }
        }
        let taken = [read(&path), read(&previous(&path))].into_iter().find_map(|read| read.ok().flatten());
        if let Some(image) = &taken {
            assert!(written.contains(image), "seed {seed}, {what:?}: an image that was never written");
        }
        *served.entry(taken.map(|image| image.serial.0)).or_default() += 1;
        // Writes wait for the disk, so not after every one.
        if seed % 10 == 0 {
            write(&path, next).unwrap();
            assert_eq!(read(&path).unwrap().as_ref(), Some(next), "seed {seed}, {what:?}: the next write mends it");
        }
    }
    assert!(served[&Some(5)] > 500 && served[&None] > 20 && served[&Some(4)] > 50, "all ends were met: {served:?}");
}
