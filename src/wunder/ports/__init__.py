"""Every door of the gateway: what the rooms need and do not build themselves.

Rooms meet in tables, so most doors are tables. `app.py` decides who stands behind each. All async
methods of table doors may raise StoreUnavailable (safe to call again) and StoreBroken.
"""

from wunder.ports.agents import Agent as Agent
from wunder.ports.agents import Agents as Agents
from wunder.ports.attachments import Media as Media
from wunder.ports.attachments import PluginBlobs as PluginBlobs
from wunder.ports.channels import Accounts as Accounts
from wunder.ports.channels import Bindings as Bindings
from wunder.ports.channels import ChannelProvider as ChannelProvider
from wunder.ports.channels import HttpDoor as HttpDoor
from wunder.ports.channels import OptionalCalls as OptionalCalls
from wunder.ports.channels import PluginCalls as PluginCalls
from wunder.ports.channels import PluginHost as PluginHost
from wunder.ports.channels import Providers as Providers
from wunder.ports.channels import Sends as Sends
from wunder.ports.clock import Clock as Clock
from wunder.ports.events import EventLog as EventLog
from wunder.ports.events import Page as Page
from wunder.ports.hands import Hands as Hands
from wunder.ports.hands import Interrupter as Interrupter
from wunder.ports.hands import SendSlots as SendSlots
from wunder.ports.hands import Stage as Stage
from wunder.ports.hands import Waiters as Waiters
from wunder.ports.hands import WakeUp as WakeUp
from wunder.ports.rooms import Intake as Intake
from wunder.ports.rooms import Outbox as Outbox
from wunder.ports.rooms import ReadyAccounts as ReadyAccounts
from wunder.ports.rooms import Turns as Turns
from wunder.ports.sealing import KeyCheck as KeyCheck
from wunder.ports.sealing import Sealer as Sealer
from wunder.ports.tables import AccountTable as AccountTable
from wunder.ports.tables import AgentTable as AgentTable
from wunder.ports.tables import BindingTable as BindingTable
from wunder.ports.tables import PluginHistory as PluginHistory
from wunder.ports.tables import PluginTable as PluginTable
from wunder.ports.tables import TokenTable as TokenTable
