// What the page says, in the languages it speaks.
"use strict";
window.WunderChat = {};
WunderChat.words = {
  en: {
    message: "Message", placeholder: "Write a message", send: "Send", you: "You", they: "Reply",
    live: "connected", connecting: "connecting…", lost: "connection lost, trying again…",
    unsent: "sending…", received: "received", answering: "answering…", done: "answered", sending: "on its way",
    delivered: "delivered", failed: "failed", failed_unrouted: "nobody answers here yet",
    failed_refused: "not accepted", failed_failed: "no answer could be made", notsent: "not sent", again: "try again",
    too_fast: "That was too fast: it is sent in {s} s.", too_long: "This message is too long.",
    ended: "This visit has ended. Reload the page to go on.",
    gone: "There is no chat at this address, or it was switched off.",
    foreign: "This site may not show this chat. Its address has to be on the account's list.",
    claim: "Your sign-in is no longer valid. Reload the page that shows this chat.",
    file: "File", newtab: "opens in a new tab",
  },
  zh: {
    message: "消息", placeholder: "输入消息", send: "发送", you: "你", they: "回复",
    live: "已连接", connecting: "连接中…", lost: "连接中断，正在重试…",
    unsent: "发送中…", received: "已收到", answering: "正在回答…", done: "已回答", sending: "投递中",
    delivered: "已送达", failed: "失败", failed_unrouted: "暂无人应答",
    failed_refused: "未被接收", failed_failed: "未能生成回答", notsent: "未发出", again: "重试",
    too_fast: "说得太快了，{s} 秒后自动发送。", too_long: "消息太长。",
    ended: "本次访问已结束，请刷新页面继续。",
    gone: "此地址没有聊天，或已被停用。",
    foreign: "此网站不能显示该聊天：其地址须在账号的允许列表中。",
    claim: "登录状态已失效，请刷新显示此聊天的页面。",
    file: "文件", newtab: "在新标签页打开",
  },
};
// `?lang=` first, then what the browser asks for.
WunderChat.language = (() => {
  const asked = new URLSearchParams(location.search).get("lang") || navigator.language || "en";
  return asked.toLowerCase().startsWith("zh") ? "zh" : "en";
})();
WunderChat.say = (name, values = {}) =>
  (WunderChat.words[WunderChat.language][name] || name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
document.documentElement.lang = WunderChat.language === "zh" ? "zh-CN" : "en";
