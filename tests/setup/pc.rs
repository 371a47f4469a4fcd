//! The PC that RainTek is looked for on, and the page's API.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::raintek::PASSWORD;
use crate::harness::{SOON, Shop, eventually};

/// An answer of the page's API.
pub(crate) type Answer = (u16, Value);

impl Shop {
    /// A shop whose ShopSync knows nothing yet: its RainTek runs, and its PC is played by a folder.
    pub(crate) async fn unknown() -> Self {
        let mut shop = Self::new(12);
        shop.raintek.start().await;
        std::fs::create_dir_all(shop.pc().join("disks/C/Program Files")).unwrap();
        let app = &shop.app.settings;
        shop.environment = vec![
            ("SHOPSYNC_PC", shop.pc().display().to_string()),
            ("SHOPSYNC_SETTING_WEB_PORT", shop.settings.web.port.to_string()),
            ("SHOPSYNC_SETTING_BILLING_URL", app.url.clone()),
            ("SHOPSYNC_SETTING_BILLING_LISTEN", app.listen.clone()),
            ("SHOPSYNC_SETTING_RAINTEK_ENCRYPTION", "none".to_owned()),
        ];
        shop
    }

    pub(crate) fn pc(&self) -> PathBuf {
        self.app.folder.path().join("pc")
    }

    /// Lays RainTek's own files on the PC.
    pub(crate) fn lay_raintek(&self, folder: &str, server: &str, password: &str) {
        let folder = self.pc().join("disks").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("SQLSettings.dat"), format!("{server}\r\nsa\r\n{password}\r\n")).unwrap();
        std::fs::write(folder.join("TempDBSettings.dat"), "Raintech_DB1\r\n").unwrap();
    }

    /// RainTek's files, where they name the server as it is.
    pub(crate) fn lay_raintek_here(&self) {
        let server = format!("127.0.0.1,{}", self.raintek.port);
        self.lay_raintek("C/Program Files/RainTek", &server, PASSWORD);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self.http.get(self.page(path)).bearer_auth(self.secret("page.token"));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.http.post(self.page(path)).bearer_auth(self.secret("page.token"));
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Changes settings, which must be taken.
    pub(crate) async fn change(&self, changes: Value) {
        let (status, answer) = self.post("/api/settings", json!({ "changes": changes })).await;
        assert_eq!(status, 200, "{changes}: {answer}");
    }

    /// Changes settings, which must not be taken; the answer.
    pub(crate) async fn change_refused(&self, changes: Value) -> Value {
        let before = std::fs::read_to_string(self.data().join("settings.toml")).unwrap_or_default();
        let (status, answer) = self.post("/api/settings", json!({ "changes": changes })).await;
        assert_eq!(status, 422, "{changes}: {answer}");
        let after = std::fs::read_to_string(self.data().join("settings.toml")).unwrap_or_default();
        assert_eq!(after, before, "{changes}");
        answer
    }

    /// One setting, as the page shows it.
    pub(crate) async fn setting(&self, key: &str) -> Value {
        let (_, view) = self.get("/api/settings").await;
        let groups = view["groups"].as_array().unwrap();
        let mut fields = groups.iter().flat_map(|group| group["fields"].as_array().unwrap());
        fields.find(|field| field["key"] == key).cloned().unwrap_or_else(|| panic!("{key} is not shown"))
    }

    pub(crate) async fn setup_view(&self) -> Value {
        self.get("/api/setup").await.1
    }

    /// Looks for RainTek and waits until everything was tried.
    pub(crate) async fn find(&self) -> Vec<Value> {
        assert_eq!(self.post("/api/setup/find", json!({})).await.0, 202);
        let mut view = Value::Null;
        eventually("the search ends", SOON, async || {
            view = self.setup_view().await;
            view["searching"] == false
        })
        .await;
        view["candidates"].as_array().unwrap().clone()
    }
}
