//! A disk that is full.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{SOON, Shop, eventually};

/// A disk of a few megabytes, taken away again at the end.
#[derive(Debug)]
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Under ShopSync's data folder. The app lies on another disk: it takes what phones send.
    pub(crate) fn under(shop: &mut Shop) -> Self {
        let disk = Self::at(&shop.data());
        let app = shop.app.folder.path().join("app-on-another-disk");
        fs::create_dir_all(&app).unwrap();
        std::os::unix::fs::symlink(&app, shop.app.own_app()).unwrap();
        shop.settings.backup.enabled = false;
        shop.settings.alerts.disk_free_mb = 0;
        disk
    }

    fn at(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=12m,mode=0700", "shopsync-test"]).arg(folder);
        let done = mount.output().unwrap();
        assert!(
            done.status.success(),
            "a small disk must be mounted, for which the tests run as root: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Self(folder.to_owned())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Not one more block can be written, not even into SQLite's log, which is emptied first.
    pub(crate) async fn fill(&self) {
        let log = self.0.join("shopsync.sqlite-wal");
        let store = rusqlite::Connection::open(self.0.join("shopsync.sqlite")).unwrap();
        store.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        eventually("the disk is full to the last block", SOON, async || {
            let _ = fs::remove_file(self.ballast());
            store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            let mut ballast = File::create(self.ballast()).unwrap();
            while ballast.write_all(&[7; 4096]).is_ok() {}
            fs::metadata(&log).is_ok_and(|log| log.len() == 0)
        })
        .await;
    }

    pub(crate) fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
