using System.Text.Json.Nodes;

namespace Plumb.Kubernetes.Patches;

/// <summary>
/// The order of a merged list. Items that the patch names stand in the patch's order, the server's others in the server's; where an item of each side
/// stood in the server's list, their order there decides, else the patch's item comes first.
/// </summary>
internal static class ListOrder
{
    /// <param name="key">Empty for plain values.</param>
    public static JsonArray Arrange(JsonArray items, JsonArray patchOrder, JsonArray serverOrder, string key)
    {
        var named = new List<(int Order, JsonNode? Item)>();
        var others = new List<(int Order, JsonNode? Item)>();
        while (items.Count > 0)
        {
            var item = items[0];
            items.RemoveAt(0);
            int place = IndexOf(patchOrder, item, key);
            if (place >= 0)
                named.Add((place, item));
            else
                others.Add((IndexOf(serverOrder, item, key) is var at && at < 0 ? int.MaxValue : at, item));
        }
        SortStably(named);
        SortStably(others);

        var result = new JsonArray();
        int left = 0, right = 0;
        while (left < others.Count || right < named.Count)
        {
            bool takeOther = right == named.Count;
            if (!takeOther && left < others.Count)
            {
                int otherAt = others[left].Order, namedAt = IndexOf(serverOrder, named[right].Item, key);
                takeOther = namedAt >= 0 && otherAt < namedAt;
            }
            result.Add(takeOther ? others[left++].Item : named[right++].Item);
        }
        return result;
    }

    public static bool Contains(JsonArray list, JsonNode? item, string key) => IndexOf(list, item, key) >= 0;

    public static int IndexOf(JsonArray list, JsonNode? item, string key)
    {
        for (int i = 0; i < list.Count; i++)
        {
            if (SameItem(list[i], item, key))
                return i;
        }
        return -1;
    }

    public static bool SameItem(JsonNode? left, JsonNode? right, string key)
    {
        if (key.Length == 0)
            return JsonNode.DeepEquals(left, right);
        return left is JsonObject a && right is JsonObject b
            && a.TryGetPropertyValue(key, out var ofLeft) && b.TryGetPropertyValue(key, out var ofRight) && JsonNode.DeepEquals(ofLeft, ofRight);
    }

    private static void SortStably(List<(int Order, JsonNode? Item)> items)
    {
        // Insertion: lists of an object are short, and mostly in order already.
        for (int i = 1; i < items.Count; i++)
        {
            var moved = items[i];
            int at = i;
            for (; at > 0 && items[at - 1].Order > moved.Order; at--)
                items[at] = items[at - 1];
            items[at] = moved;
        }
    }
}
