use std::path::Path;

use super::read;

const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       1000 kB\nMemFree:         10 kB\n");

fn check(files: &[(&str, &str)], expected: Option<u64>) {
    let folder = tempfile::tempdir().expect("folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        std::fs::write(path, text).expect("file");
    }
    assert_eq!(read(folder.path()), expected, "{files:?}");
}

#[test]
fn without_a_group_it_is_the_memory_of_the_machine() {
    check(&[MEMINFO], Some(1_024_000));
    check(&[MEMINFO, ("proc/self/cgroup", "0::/\n")], Some(1_024_000));
    check(&[], None);
}

#[test]
fn the_least_of_a_group_of_version_2_and_those_around_it_counts() {
    let groups = ("proc/self/cgroup", "0::/kube/pod/box\n");
    check(&[MEMINFO, groups, ("sys/fs/cgroup/kube/pod/box/memory.max", "500000\n")], Some(500_000));
    let around = ("sys/fs/cgroup/kube/memory.max", "400000\n");
    check(&[MEMINFO, groups, around, ("sys/fs/cgroup/kube/pod/box/memory.max", "max\n")], Some(400_000));
    check(&[MEMINFO, groups, ("sys/fs/cgroup/kube/pod/memory.max", "2000000\n")], Some(1_024_000));
}

#[test]
fn inside_a_container_the_group_is_the_mount() {
    check(&[MEMINFO, ("proc/self/cgroup", "0::/../../x\n"), ("sys/fs/cgroup/memory.max", "7000\n")], Some(7_000));
}

#[test]
fn a_group_of_version_1_counts_and_its_word_for_no_limit_does_not() {
    let groups = ("proc/self/cgroup", "5:cpu:/x\n4:memory,hugetlb:/docker/a\n");
    let limit = "sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes";
    check(&[MEMINFO, groups, (limit, "600000\n")], Some(600_000));
    check(&[MEMINFO, groups, (limit, "9223372036854771712\n")], Some(1_024_000));
}

#[test]
fn this_machine_says_how_much_it_has() {
    assert!(read(Path::new("/")).is_some_and(|bytes| bytes > 1 << 20));
}
