// Narrow a list down to a channel, and to an account of it.
import { useTranslation } from 'react-i18next';
import { useAccounts, useChannelChoices } from '../../api/lists';
import { useAddress } from '../../app/address';
import { ChoiceFilter } from '../../components/Filters';

export function AccountFilters() {
  const { t } = useTranslation();
  const [search] = useAddress();
  const channels = useChannelChoices();
  const accounts = useAccounts();
  return (
    <>
      <ChoiceFilter name="channel" label={t('account.channel')} options={channels} width={130} />
      <ChoiceFilter
        name="account"
        label={t('account.name')}
        width={130}
        options={(accounts.data?.items ?? [])
          .filter((one) => !search.channel || one.channel === search.channel)
          .map((one) => ({ value: one.account_id, label: one.display_name || one.account_id }))}
      />
    </>
  );
}
